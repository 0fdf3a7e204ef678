import type { Cell, Verdict } from './cell.ts';
import { expectedOf } from './expected.ts';

/** A cell in words. */
export function nameOf({ step, kind, span }: Cell): string {
  return `${step}, ${kind}, ${span}`;
}

/** In what a cell is not as it has to be; nothing when all is well. */
export function faultsOf(verdict: Verdict): string[] {
  const expected = expectedOf(verdict);
  const wrong = [
    ...(verdict.letter === expected ? [] : [`it ended as ${verdict.letter}, not ${expected}`]),
    ...verdict.complaints,
  ];
  return wrong.length > 0 ? [`${nameOf(verdict)}: ${[...wrong, ...verdict.said].join('\n  ')}`] : [];
}
