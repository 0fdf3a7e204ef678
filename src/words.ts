/** The most of a text from outside that a message repeats, in characters. */
const MOST = 500;

/** What begins another line, what moves a cursor, and what turns the direction of text. */
const UNFIT = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu;

/**
 * A text from outside as part of a message: on one line, which it cannot leave, and not longer than a message should be.
 * @param most in characters; what is cut off shows as an ellipsis
 */
export function plain(text: string, most = MOST): string {
  // Cut first, so that a text of megabytes costs no more than one of this length.
  const line = text
    .slice(0, 2 * most)
    .replace(UNFIT, ' ')
    .trim();
  return line.length > most || text.length > 2 * most ? `${line.slice(0, most)}…` : line;
}

/**
 * What may be shown of a text that should be a URL: without user and password, which may be anything before the last "@".
 */
export function withoutLogin(text: string): string {
  return plain(text.replace(/^(\w+:\/\/)?.*@/s, '$1…@'));
}
