export interface RefusalOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the body is the bare message as text, instead of the specification's JSON. */
  readonly plain?: boolean;
}

/**
 * A request that a registry refuses, as the distribution API words it: a status, a code and a message.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly plain: boolean;

  constructor(status: number, code: string, message: string, options: RefusalOptions = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = options.headers ?? {};
    this.plain = options.plain ?? false;
  }
}

/** The refusal of a method that an address does not know. */
export function methodRefused(allowed: readonly string[]): Refusal {
  return new Refusal(405, 'UNSUPPORTED', 'The operation is unsupported.', {
    headers: { Allow: allowed.join(', ') },
  });
}
