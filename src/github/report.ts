import type { Outcome } from '../modes/services.ts';
import { isDone, type Result } from '../release/release.ts';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Bytes for people: 0 B, 812 B, 12.4 MB. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`;
}

/** The references under which the release can be pulled: every tag in every destination, or the digest alone. */
export function imagesOf({ digest, tags, results }: Outcome): string[] {
  return results
    .filter(isDone)
    .flatMap(({ image }) =>
      tags.length > 0 ? tags.map((tag) => `${image}:${tag}`) : [`${image}@${digest}`],
    );
}

/** One line about a destination, for the log. */
export function resultLine({ destination, state, digest, sent, reused, seconds }: Result): string {
  const bytes = `sent ${formatBytes(sent)}, reused ${formatBytes(reused)}`;
  return `${destination}: ${state}: ${digest} (${bytes}, ${seconds.toFixed(1)} s)`;
}

const MARKS: Readonly<Record<Result['state'], string>> = {
  published: '✅',
  landed: '✅',
  unchanged: '✅',
  'held back': '⏸️',
  failed: '❌',
};

/** The summary in GitHub's Markdown: one row a destination, aligned so that it reads well as text too. */
export function summaryOf(outcome: Outcome, heading: string): string {
  const { digest, tags, results } = outcome;
  const rows = [
    ['Region', 'Digest', 'Platforms', 'Sent', 'Reused', 'Seconds', 'State'],
    ...results.map((result) => [
      result.destination,
      `\`${result.digest.slice(0, 19)}\``,
      escapeMarkdown(result.platforms.join(', ')),
      formatBytes(result.sent),
      formatBytes(result.reused),
      result.seconds.toFixed(1),
      `${MARKS[result.state]} ${result.state}`,
    ]),
  ];
  const errors = results.flatMap(({ destination, error }) =>
    error ? [`- **${destination}**: ${escapeMarkdown(error)}`] : [],
  );
  const images = imagesOf(outcome).map((image) => `- \`${image}\``);
  return [
    `### ${heading}`,
    '',
    `Digest \`${digest}\`${tags.length > 0 ? `, tagged ${tags.map((tag) => `\`${tag}\``).join(', ')}` : ', by digest only'}`,
    '',
    ...table(rows),
    ...(errors.length > 0 ? ['', ...errors] : []),
    ...(images.length > 0 ? ['', ...images] : []),
    '',
  ].join('\n');
}

function table(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body.map(line)];
}

/** Words from outside must not become Markdown or HTML of ours. */
function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]<>|#]/g, (character) => `\\${character}`).replace(/\s+/g, ' ');
}
