import * as z from 'zod/mini';
import { Clock } from './clock.ts';
import { type Link, linkSchema, openLink } from './link.ts';

/** What the worker can be asked for; every answer carries the question's id. */
const questionSchema = z.discriminatedUnion('ask', [
  z.object({ id: z.number(), ask: z.literal('open'), link: linkSchema }),
  z.object({ id: z.number(), ask: z.literal('count'), port: z.number() }),
  z.object({ id: z.number(), ask: z.literal('close'), port: z.number() }),
]);
type Question = z.infer<typeof questionSchema>;

const clock = new Clock();
const links = new Map<number, Link>();

async function answer(question: Question): Promise<Record<string, number>> {
  if (question.ask === 'open') {
    const link = await openLink(question.link, clock);
    links.set(link.port, link);
    return { port: link.port };
  }
  const link = links.get(question.port);
  if (!link) throw new Error(`there is no link at ${question.port}`);
  const { connections, sent, received } = link;
  if (question.ask === 'close') {
    links.delete(question.port);
    await link.close();
  }
  return { connections, sent, received };
}

process.on('message', (message) => {
  const question = z.parse(questionSchema, message);
  answer(question).then(
    (given) => process.send?.({ id: question.id, given }),
    (error: Error) => process.send?.({ id: question.id, error: error.message }),
  );
});
process.on('disconnect', () => process.exit());
