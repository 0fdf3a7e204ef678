import type { Finding, Outcome, Spread } from './contest.ts';

/** An outcome as Markdown tables: seconds, and ratios beside what they should be. */
export function outcomeTable({ title, contenders, ratios }: Outcome): string {
  const times = contenders.map(({ name, ...times }) => [name, ...cells(times)]);
  const compared = ratios.map(({ of, over, target, ...ratio }) => [
    `${of} / ${over}`,
    ...cells(ratio),
    target === undefined ? '' : `≤ ${target}`,
  ]);
  return [
    `### ${title}`,
    table(['seconds', 'median', 'min', 'max'], times),
    ...(compared.length > 0 ? [table(['ratio', 'median', 'min', 'max', 'aim'], compared)] : []),
  ].join('\n\n');
}

/** Findings as a Markdown table. */
export function findingsTable(title: string, findings: readonly Finding[]): string {
  const rows = findings.map(({ what, value, unit, target }) => [
    what,
    `${format(value)} ${unit}`.trim(),
    target === undefined ? '' : format(target),
  ]);
  return `### ${title}\n\n${table(['what', 'measured', 'aim or least'], rows)}`;
}

function cells({ median, min, max }: Spread): string[] {
  return [median, min, max].map((value) => value.toFixed(2));
}

/** A number for people: 1,380,776 or 5.38. */
export function format(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString('en-US') : value.toFixed(2);
}

/** A Markdown table, whose columns but for the first are numbers. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, column) =>
    Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    `| ${widths.map((width, column) => (column === 0 ? (row[column] ?? '').padEnd(width) : (row[column] ?? '').padStart(width))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}
