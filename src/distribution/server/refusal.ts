/**
 * A request that a registry refuses, as the distribution API words it: a status, a code and a message.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}
