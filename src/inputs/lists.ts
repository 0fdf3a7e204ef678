import { parse } from 'csv-parse/sync';

/** How docker's own actions read lists: CSV with forgiving quotes; "#" is no comment. */
const CSV = { relax_quotes: true, relax_column_count: true, skip_empty_lines: true };

/** A list whose entries are separated by newlines or commas. */
export function parseList(text: string): string[] {
  return readRows(text)
    .flat()
    .map((entry) => entry.trim())
    .filter(Boolean);
}

/** A list whose entries are separated by newlines alone: a comma belongs to its entry. */
export function parseLines(text: string): string[] {
  return readRows(text)
    .map((row) => row.join(',').trim())
    .filter(Boolean);
}

/**
 * Entries by newline with their white space kept: a secret's value is taken as it is. One that spans lines stands in
 * double quotes, with `""` for a quote in it.
 */
export function parseSecrets(text: string): string[] {
  return readRows(text)
    .map((row) => row.join(','))
    .filter((entry) => entry.trim() !== '');
}

function readRows(text: string): string[][] {
  return parse(text, CSV);
}
