import { isIndexType } from '../image/mediaTypes.ts';
import type { Outcome } from '../modes/services.ts';
import { isDone, type Result, shownUnder } from '../release/result.ts';
import { plain } from '../words.ts';
import { shownLines, unprovedIn } from './shown.ts';

/** The longest text that the summary shows, in characters: GitHub takes 1 MiB for a whole job's. */
const LONGEST = 4_000;

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Bytes for people: 0 B, 812 B, 12.4 MB. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`;
}

/**
 * The references under which the release can be pulled: every tag that shows it, in every destination, or the digest alone
 * where no tag does. None where nothing was pushed.
 */
export function imagesOf({ digest, tags, results }: Outcome): string[] {
  const shown = (result: Result) => tags.filter((tag) => shownUnder(result, tag) === result.digest);
  return results
    .filter((result) => isDone(result) && result.state !== 'not pushed' && result.digest === digest)
    .flatMap((result) => referencesTo(result, shown(result)));
}

/** The references that a push would have published, those of single platforms too; none when it would have failed. */
function imagesToBe(results: readonly Result[]): string[] {
  return results.every(({ state }) => state === 'not pushed')
    ? results.flatMap((result) => referencesTo(result, Object.keys(result.tags)))
    : [];
}

function referencesTo({ image, digest }: Result, tags: readonly string[]): string[] {
  return tags.length > 0 ? tags.map((tag) => `${image}:${tag}`) : [`${image}@${digest}`];
}

/** Lines about tags that were kept, and so show another image than was to be published. */
export function keptLines({ tags, results }: Outcome): string[] {
  const lines = results.filter(isDone).flatMap((result) =>
    tags.flatMap((tag) => {
      const shown = shownUnder(result, tag);
      return shown && shown !== result.digest
        ? [`${tag} was kept: it shows ${shown}, not ${result.digest}`]
        : [];
    }),
  );
  return [...new Set(lines)];
}

/** What registries themselves say of the release, each statement once, with those that make it. */
function describedLines({ tags, results }: Outcome): string[] {
  const statements = results.filter(isDone).flatMap(({ destination, digest, described = {} }) => {
    const tag = tags.find((each) => described[each]?.digest === digest);
    const { mediaType, size } = (tag === undefined ? undefined : described[tag]) ?? {};
    if (mediaType === undefined) return [];
    const kind = isIndexType(mediaType) ? 'an image index' : 'a single image';
    const extent = size === undefined ? '' : `, ${formatBytes(size)}`;
    return [{ said: `ECR lists it as ${kind} (${mediaType}${extent})`, destination }];
  });
  return [...Map.groupBy(statements, ({ said }) => said)].map(
    ([said, group]) => `${said} in ${group.map(({ destination }) => destination).join(', ')}`,
  );
}

/** One line about a destination, for the log. */
export function resultLine({ destination, state, digest, sent, reused, seconds }: Result): string {
  const bytes = `sent ${formatBytes(sent)}, reused ${formatBytes(reused)}`;
  return `${destination}: ${state}: ${digest} (${bytes}, ${seconds.toFixed(1)} s)`;
}

/** Lines about destinations that lacked what they should have held. */
export function repairedLines({ results }: Outcome): string[] {
  return results.flatMap(({ destination, repaired = [] }) =>
    repaired.length > 0
      ? [`${destination} lacked ${repaired.join(', ')}, which it should have held: it was given it again`]
      : [],
  );
}

const MARKS: Readonly<Record<Result['state'], string>> = {
  published: '✅',
  landed: '✅',
  unchanged: '✅',
  'held back': '⏸️',
  failed: '❌',
  'not pushed': '🔎',
};

const NOTHING_PUSHED =
  '**Nothing was pushed** (`push: false`): no registry was sent anything. A push would publish:';

/** The summary in GitHub's Markdown: one row a destination, aligned so that it reads well as text too. */
export function summaryOf(outcome: Outcome, heading: string): string {
  const { digest, results, referrers, problems = [] } = outcome;
  const unpushed = imagesToBe(results);
  const rows = [
    ['Region', 'Digest', 'Platforms', 'Sent', 'Reused', 'Seconds', 'State'],
    ...results.map((result) => [
      escapeMarkdown(result.destination),
      `\`${result.digest.slice(0, 19)}\``,
      escapeMarkdown(result.platforms.join(', ')),
      formatBytes(result.sent),
      formatBytes(result.reused),
      result.seconds.toFixed(1),
      `${MARKS[result.state]} ${result.state}`,
    ]),
  ];
  const failed = results.flatMap(({ destination, error }) =>
    error
      ? [
          `- ${error.startsWith(`${destination}: `) ? '' : `**${escapeMarkdown(destination)}**: `}${escapeMarkdown(error)}`,
        ]
      : [],
  );
  const errors = [...failed, ...problems.map((problem) => `- ${escapeMarkdown(problem)}`)];
  const notices = [...shownLines(outcome), ...keptLines(outcome), ...repairedLines(outcome)].map(
    (line) => `- ${escapeMarkdown(line)}`,
  );
  const described = describedLines(outcome).map(escapeMarkdown);
  const carried =
    referrers === undefined ? '' : `, with ${referrers} ${referrers === 1 ? 'referrer' : 'referrers'}`;
  const images = [...imagesOf(outcome), ...unpushed].map((image) => `- \`${image}\``);
  return [
    `### ${heading}`,
    '',
    `Digest \`${digest}\`, ${taggedAs(outcome)}${carried}`,
    '',
    ...table(rows),
    ...(described.length > 0 ? ['', ...described] : []),
    ...listed('**What went wrong**', errors),
    ...listed('**What to know**', notices),
    ...listed(unpushed.length > 0 ? NOTHING_PUSHED : '**Images**', images),
    '',
  ].join('\n');
}

/** Lists that follow each other without words between them are one list to a reader of Markdown. */
function listed(title: string, lines: readonly string[]): string[] {
  return lines.length > 0 ? ['', title, '', ...lines] : [];
}

/** Under which tags the release is shown, or would be. */
function taggedAs(outcome: Outcome): string {
  const { tags, results } = outcome;
  const done = results.filter(isDone);
  if (done.length === 0) return unprovedIn(outcome) > 0 ? 'nowhere proved' : 'not published';
  const shown = tags.filter((tag) => done.every((result) => shownUnder(result, tag) === result.digest));
  const beside = done.flatMap((result) => Object.keys(result.tags)).filter((tag) => !tags.includes(tag));
  const listOf = (names: readonly string[]) => names.map((tag) => `\`${tag}\``).join(', ');
  const tagged = done.some(({ state }) => state !== 'not pushed') ? 'tagged' : 'to be tagged';
  const release = shown.length > 0 ? `${tagged} ${listOf(shown)}` : 'by digest only';
  return beside.length > 0 ? `${release}, and beside it ${listOf([...new Set(beside)])}` : release;
}

/** The summary of a step that ended before anything was published anywhere, or before it was known what was. */
export function failureSummary(message: string, heading = 'Nothing was published'): string {
  const problems = message.startsWith('- ') ? message.slice(2).split('\n- ') : [message];
  return [`### ${heading}`, '', ...problems.map((problem) => `- ${escapeMarkdown(problem)}`), ''].join('\n');
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

/** Words from outside must not become Markdown, HTML or mathematics of ours, nor fill the summary. */
function escapeMarkdown(text: string): string {
  return plain(text, LONGEST)
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_~{}[\]<>|#$&]/g, (character) => `\\${character}`);
}
