/** A call to STS that fails, as its query protocol words it. */
export class StsError extends Error {
  override readonly name = 'StsError';
  readonly status: 400 | 403;
  readonly code: string;

  constructor(status: 400 | 403, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}
