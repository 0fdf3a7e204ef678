/** How long the parts of an exchange may take, in milliseconds. What takes longer is broken off, and tried again. */
export interface Limits {
  /** Until a connection is open. */
  readonly connect: number;
  /** Until an answer begins, once its request is sent, and until its next bytes come. */
  readonly answer: number;
  /** The same of an upload's answer, at the most: the registry looks at all of the upload first. */
  readonly uploadAnswer: number;
  /** How long an upload's connection may take nothing. */
  readonly stall: number;
  /**
   * How long a short answer may take in all, and how often a long one has to bring something: a byte now and then would do
   * for undici's own limits.
   */
  readonly patience: number;
  /** How long the rest of an answer that tells nothing new is waited for, before its connection is given up. */
  readonly rest: number;
  /** How long a connection is kept for the next request, unless its server says less. */
  readonly idle: number;
}

export const DEFAULT_LIMITS: Limits = {
  connect: 10_000,
  answer: 30_000,
  uploadAnswer: 300_000,
  stall: 60_000,
  patience: 60_000,
  rest: 5_000,
  idle: 30_000,
};

/** How fast the slowest registry looks at an upload, and the slowest line sends what this machine has buffered of it. */
const BYTES_PER_MILLISECOND = 128;

/** How long the answer to an upload of so many bytes is waited for, in milliseconds. */
export function uploadAnswerLimit({ answer, uploadAnswer }: Limits, size: number): number {
  return Math.max(answer, Math.min(uploadAnswer, answer + size / BYTES_PER_MILLISECOND));
}
