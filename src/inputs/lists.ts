import { CsvError, parse } from 'csv-parse/sync';

/** How docker's own actions read lists: CSV with forgiving quotes; "#" is no comment. */
const CSV = { relax_quotes: true, relax_column_count: true, skip_empty_lines: true };

/** An entry in quotes that does not end: the one thing that makes a text no list. */
export class QuoteError extends Error {
  override readonly name = 'QuoteError';

  constructor() {
    super(
      'an entry begins with a double quote that nothing ends: end it with another one, or, where the quote is part of the entry, write """ for it and " at the end',
    );
  }
}

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
  try {
    return parse(text, CSV);
  } catch (error) {
    // What the parser says may repeat the entry, which may be a secret.
    throw error instanceof CsvError ? new QuoteError() : error;
  }
}
