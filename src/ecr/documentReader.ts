import { closest, distance } from 'fastest-levenshtein';
import * as z from 'zod/mini';
import { formatPath, formatValue, valueAt } from './fieldPath.ts';

/** What the entries of a list or a mapping have to be. */
interface EntryRules<T> {
  readonly value: T;
  /** How many there may be. */
  readonly most: number;
  /** What to write instead of anything else. */
  readonly advice: string;
}

/** What the keys of a mapping have to be. */
interface KeyRules {
  readonly key: RegExp;
  readonly keyAdvice: string;
}

/**
 * Reads a document of an input field by field, and gathers what is wrong with it, so that all of it can be told at once.
 * The messages of the schemas say what to write instead.
 */
export class DocumentReader {
  readonly problems: string[] = [];
  readonly #title: string;
  readonly #document: unknown;

  /** @param title how problems name the document: the input, and the file if it is in one */
  constructor(title: string, document: unknown) {
    this.#title = title;
    this.#document = document;
  }

  /** What is at a path, if it is as the schema wants it. */
  read<T extends z.ZodMiniType>(path: readonly PropertyKey[], schema: T): z.infer<T> | undefined {
    const parsed = z.safeParse(schema, valueAt(this.#document, path));
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) this.refuse([...path, ...issue.path], issue.message);
    return undefined;
  }

  /** What is in a list; nothing when there is none, or something is wrong with it. */
  readList<T extends z.ZodMiniType>(
    path: readonly PropertyKey[],
    { value, most, advice }: EntryRules<T>,
  ): z.infer<T>[] | undefined {
    const before = this.problems.length;
    const list = this.read(path, z.optional(z.array(z.unknown(), advice)));
    if (list && (list.length < 1 || list.length > most)) this.refuse(path, `name 1 to ${most}`);
    const entries = list?.flatMap((_, position): z.infer<T>[] => {
      const found = this.read([...path, position], value);
      return found === undefined ? [] : [found];
    });
    return this.problems.length > before ? undefined : entries;
  }

  /** What is in a mapping; nothing when there is none, or something is wrong with it. */
  readMap<T extends z.ZodMiniType>(
    path: readonly PropertyKey[],
    { key, keyAdvice, value, most, advice }: EntryRules<T> & KeyRules,
  ): Map<string, z.infer<T>> | undefined {
    const before = this.problems.length;
    const mapping = this.read(path, z.optional(z.record(z.string(), z.unknown(), advice)));
    if (!mapping) return undefined;
    const names = Object.keys(mapping);
    if (names.length > most) this.refuse(path, `name no more than ${most}`);
    const entries = names.flatMap((name): [string, z.infer<T>][] => {
      if (!key.test(name)) this.refuse([...path, name], keyAdvice);
      const found = this.read([...path, name], value);
      return found === undefined ? [] : [[name, found]];
    });
    return this.problems.length > before ? undefined : new Map(entries);
  }

  /** Refuses the fields of a mapping that are not among the known ones; each is told which of them it may have meant. */
  assertKnown(path: readonly PropertyKey[], known: readonly string[]): void {
    const mapping = valueAt(this.#document, path);
    if (typeof mapping !== 'object' || mapping === null) return;
    for (const key of Object.keys(mapping)) {
      if (!known.includes(key))
        this.#note(`there is no field ${formatPath([...path, key])}; ${hint(key, known)}`);
    }
  }

  /** Notes that what is at a path cannot be used, and what to write instead. */
  refuse(path: readonly PropertyKey[], advice: string): void {
    const value = valueAt(this.#document, path);
    const where = formatPath(path);
    this.#note(
      value === undefined ? `${where} is missing: ${advice}` : `${where}: ${formatValue(value)}: ${advice}`,
    );
  }

  #note(problem: string): void {
    this.problems.push(`${this.#title}: ${problem}`);
  }
}

function hint(key: string, known: readonly string[]): string {
  const bare = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  const near = closest(bare(key), known.map(bare));
  const meant = known.find((each) => bare(each) === near);
  return meant !== undefined && distance(bare(key), near) <= 3
    ? `did you mean "${meant}"?`
    : `known are ${known.join(', ')}`;
}

/** One of some names in capitals, which may be written in any case. */
export function anyCase<const T extends readonly string[]>(names: T) {
  const advice = `write one of ${names.join(', ')}`;
  const capitals = z.transform((text: string) => text.toUpperCase());
  return z.pipe(z.pipe(z.string(advice), capitals), z.enum(names, advice));
}
