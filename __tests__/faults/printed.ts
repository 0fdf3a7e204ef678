import type { Verdict } from './cell.ts';
import { entryOf, LETTERS, REASONS } from './expected.ts';
import { faultsOf } from './judged.ts';
import { KIND_NAMES, type KindName, type Span } from './kinds.ts';
import type { StepName } from './steps.ts';

/** The table of what became of the cells, for people. */
export function printed(title: string, steps: readonly StepName[], verdicts: readonly Verdict[]): string {
  const kinds = KIND_NAMES;
  const width = Math.max(...steps.map(({ length }) => length));
  const columns = kinds.map((kind) => Math.max(3, kind.length));
  const line = (head: string, cells: readonly string[]) =>
    [head.padEnd(width), ...cells.map((cell, position) => cell.padEnd(columns[position] ?? 0))]
      .join(' ')
      .trimEnd();
  const find = (step: StepName, kind: KindName, span: Span) =>
    verdicts.find((each) => each.step === step && each.kind === kind && each.span === span);
  const shown = (step: StepName, kind: KindName) => {
    const entry = entryOf(step, kind);
    if ('reason' in entry) return entry.reason;
    const each = (['once', 'lasting'] as const).map((span) => {
      if (!entry[span]) return '.';
      const verdict = find(step, kind, span);
      return verdict ? `${verdict.letter}${faultsOf(verdict).length > 0 ? '!' : ''}` : '?';
    });
    return each.join('');
  };
  const passed = verdicts.filter((verdict) => faultsOf(verdict).length === 0).length;
  return [
    `${title}: where the fault passes, and where it stays`,
    line('', kinds),
    ...steps.map((step) =>
      line(
        step,
        kinds.map((kind) => shown(step, kind)),
      ),
    ),
    ...Object.entries(LETTERS).map(([letter, meaning]) => `  ${letter}  ${meaning}`),
    ...Object.entries(REASONS).map(([letter, reason]) => `  ${letter}  does not apply: ${reason}`),
    `${verdicts.length} cells tried, ${passed} passed`,
  ].join('\n');
}
