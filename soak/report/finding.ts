import { format, table } from '../../bench/report/table.ts';

/** What a measured value must be for the soak to succeed; both ends count. */
export interface Bound {
  readonly least?: number;
  readonly most?: number;
}

/** Something counted or measured, and what it has to be, if that matters. */
export interface Finding {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly bound?: Bound;
}

/** What one scenario found. */
export interface Section {
  readonly title: string;
  readonly findings: readonly Finding[];
  /** Each thing that went wrong, in words; any of them breaks the soak. */
  readonly complaints: readonly string[];
  /** What the findings were reckoned from, for whoever wants to look. */
  readonly samples?: unknown;
}

/** Whether a value is beyond its bound. A value that is no number is beyond any. */
export function isBroken({ value, bound = {} }: Finding): boolean {
  const { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY } = bound;
  return !(value >= least && value <= most);
}

/** Whether all of a section is as it has to be. */
export function holds({ findings, complaints }: Section): boolean {
  return complaints.length === 0 && !findings.some(isBroken);
}

/** A section as a Markdown table, with what went wrong below it. */
export function sectionText({ title, findings, complaints }: Section): string {
  const rows = findings.map((finding) => [
    finding.what,
    `${format(finding.value)} ${finding.unit}`.trim(),
    boundText(finding.bound),
    finding.bound === undefined ? '' : isBroken(finding) ? 'BROKEN' : 'ok',
  ]);
  return [
    `### ${title}`,
    table(['what', 'measured', 'bound', ''], rows),
    ...complaints.map((complaint) => `- BROKEN: ${complaint}`),
  ].join('\n\n');
}

function boundText({ least, most }: Bound = {}): string {
  if (least !== undefined && least === most) return format(least);
  return [
    ...(least === undefined ? [] : [`≥ ${format(least)}`]),
    ...(most === undefined ? [] : [`≤ ${format(most)}`]),
  ].join(', ');
}
