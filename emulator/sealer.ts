import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import * as z from 'zod/mini';

/** Makes texts that carry a value and a seal over it, and reads none but its own. */
export class Sealer<T extends z.ZodMiniType> {
  readonly #key = randomBytes(32);
  readonly #schema: T;

  constructor(schema: T) {
    this.#schema = schema;
  }

  /** The value as text of letters, digits, `-`, `_`, and a dot before its seal. */
  seal(value: z.infer<T>): string {
    const payload = Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${payload}.${this.#sealOf(payload).toString('base64url')}`;
  }

  /** The value of a text, unless the text is none that this has made. */
  open(text: string): z.infer<T> | undefined {
    const [payload = '', seal = ''] = text.split('.', 2);
    const [given, expected] = [Buffer.from(seal, 'base64url'), this.#sealOf(payload)];
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    return z.parse(this.#schema, JSON.parse(Buffer.from(payload, 'base64url').toString()));
  }

  #sealOf(payload: string): Buffer {
    return createHmac('sha256', this.#key).update(payload).digest();
  }
}
