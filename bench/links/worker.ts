import * as z from 'zod/mini';
import { answerWith } from '../asking.ts';
import { Clock } from './clock.ts';
import { type Link, linkSchema, openLink } from './link.ts';

/** What the worker can be asked for. */
const questionSchema = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('open'), link: linkSchema }),
  z.object({ ask: z.literal('count'), port: z.number(), region: z.optional(z.string()) }),
  z.object({ ask: z.literal('close'), port: z.number() }),
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
  if (question.ask === 'count') return { ...link.count(question.region) };
  links.delete(question.port);
  await link.close();
  return {};
}

answerWith(async (question) => answer(z.parse(questionSchema, question)));
