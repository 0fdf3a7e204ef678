import type { Cell } from './cell.ts';
import type { Letter } from './invariants.ts';
import { KIND_NAMES, type KindName, kindOf, type Span } from './kinds.ts';
import { STEPS, type StepName } from './steps.ts';
import { TABLE } from './table.ts';

export const LETTERS: Readonly<Record<Exclude<Letter, '?'>, string>> = {
  R: 'released in every region',
  S: 'stopped before any region was begun with',
  H: 'held back: every region shows what it showed before',
  V: 'released in every region; of one it could not be seen, which is said',
  U: 'undone but for regions whose tag could not be put back, which is said',
};

/** Why a kind of fault may not apply to a step. */
export const REASONS: Readonly<Record<string, string>> = {
  a: 'its answer has no body',
  b: 'its request has no body',
  q: 'it does not ask whether something is there',
  t: 'its answer has no digest to hold it against: TLS keeps its bytes',
  s: 'it comes beside the reading back of the tag, which has the same in its row',
  k: 'it carries no token',
  e: 'only private registries of ECR say it in this way',
  v: 'nobody here holds the request against its signature',
  d: 'the disk may have taken all of it by then',
};

/** What is expected: an outcome for each span that the kind has, or a reason. */
export type Entry = { readonly reason: string } | Readonly<Partial<Record<Span, Letter>>>;

const ENTRIES = read(TABLE);

/** @throws Error for what the table lacks, or does not say as it has to */
export function read(table: string): ReadonlyMap<string, Entry> {
  const [head = '', ...lines] = table.trim().split('\n');
  const kinds = splitRow(head).slice(1);
  assertSame('kinds', kinds, KIND_NAMES);
  const rows = lines.map(splitRow);
  assertSame(
    'steps',
    rows.map(([step = '']) => step),
    Object.keys(STEPS),
  );
  const entries = rows.flatMap(([step = '', ...cells]) => {
    if (cells.length !== kinds.length) throw new Error(`${step} has ${cells.length} entries`);
    return KIND_NAMES.map(
      (kind, position) => [`${step}/${kind}`, toEntry(kind, cells[position] ?? '')] as const,
    );
  });
  return new Map(entries);
}

function splitRow(line: string): string[] {
  return line.split('|').map((cell) => cell.trim());
}

function assertSame(what: string, given: readonly string[], wanted: readonly string[]): void {
  if (given.join() !== wanted.join())
    throw new Error(`the table has other ${what}: ${given.join()} rather than ${wanted.join()}`);
}

function toEntry(kind: KindName, cell: string): Entry {
  if (REASONS[cell] !== undefined) return { reason: cell };
  const [once = '', lasting = ''] = cell;
  const wanted = kindOf(kind);
  const isFull = (once !== '.') === (wanted.once !== undefined) && (lasting !== '.') === wanted.lasting;
  if (cell.length !== 2 || !isFull || !/^[RSHVU.]{2}$/.test(cell)) {
    throw new Error(`${kind}: "${cell}" is neither the outcomes of all its spans nor a reason`);
  }
  return {
    ...(isLetter(once) && { once }),
    ...(isLetter(lasting) && { lasting }),
  };
}

function isLetter(text: string): text is Letter {
  return Object.hasOwn(LETTERS, text);
}

export function entryOf(step: StepName, kind: KindName): Entry {
  const entry = ENTRIES.get(`${step}/${kind}`);
  if (!entry) throw new Error(`the table has nothing of ${kind} at ${step}`);
  return entry;
}

export function expectedOf({ step, kind, span }: Cell): Letter | undefined {
  const entry = entryOf(step, kind);
  return 'reason' in entry ? undefined : entry[span];
}

/** All cells of a step that there are. */
export function cellsOf(step: StepName): Cell[] {
  return KIND_NAMES.flatMap((kind) =>
    (['once', 'lasting'] as const)
      .map((span) => ({ step, kind, span }))
      .filter((cell) => expectedOf(cell) !== undefined),
  );
}
