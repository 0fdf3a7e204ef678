import type { ChildProcess } from 'node:child_process';
import * as z from 'zod/mini';

/** Asks another process something over its channel; the answer is whatever it gives. */
export type Ask = (question: Record<string, unknown>) => Promise<unknown>;

const answerSchema = z.object({
  id: z.number(),
  error: z.optional(z.string()),
  given: z.optional(z.unknown()),
});

/**
 * Makes a forked process answer questions: several may be asked at once.
 * @param name what the process is, for the error when it has ended
 */
export function createAsk(child: ChildProcess, name: string): Ask {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let count = 0;
  child.on('message', (message) => {
    const { id, error, given } = z.parse(answerSchema, message);
    const question = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) question?.resolve(given);
    else question?.reject(new Error(`${name}: ${error}`));
  });
  child.on('exit', () => {
    for (const question of waiting.values()) question.reject(new Error(`${name} has ended`));
  });
  return (question) => {
    count += 1;
    const asked = Promise.withResolvers<unknown>();
    waiting.set(count, asked);
    child.send({ ...question, id: count });
    return asked.promise;
  };
}

const questionSchema = z.looseObject({ id: z.number() });

/** Answers the questions that come from the process which has forked this one, and ends with it. */
export function answerWith(answer: (question: unknown) => Promise<unknown>): void {
  process.on('message', (message) => {
    const { id, ...question } = z.parse(questionSchema, message);
    answer(question).then(
      (given) => process.send?.({ id, given }),
      (error: Error) => process.send?.({ id, error: error.message }),
    );
  });
  process.on('disconnect', () => process.exit());
}
