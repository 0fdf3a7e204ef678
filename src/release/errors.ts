/** Whatever was thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** Several failures, each of which a user has to know of: what to do about one may do nothing about another. */
export class SeveralError extends Error {
  override readonly name = 'SeveralError';
  readonly errors: readonly Error[];

  constructor(errors: readonly Error[]) {
    super(errors.map(({ message }) => message).join('; '), { cause: errors[0] });
    this.errors = errors;
  }
}
