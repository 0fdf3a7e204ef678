import { plain } from '../words.ts';

/** The most of one message that the log shows, in characters. */
const MOST = 8_000;

/** What the runner does not see when it compares: .NET does so by the rules of a culture, for which these are nothing. */
const UNSEEN = '\\p{Cc}\\p{Cf}\\p{Default_Ignorable_Code_Point}';

/** A command has nothing before it but white space. */
const COMMAND = new RegExp(`^([\\s${UNSEEN}]*:)(?=[${UNSEEN}]*:)`, 'u');

/** One in the form of old may stand anywhere. */
const OLD_COMMAND = new RegExp(`(#[${UNSEEN}]*#)(?=[${UNSEEN}]*\\[)`, 'gu');

/**
 * A line of somebody else's as the log may show it: the runner takes `::name::` and `##[name]` for commands, by which
 * outputs are set and secrets are unmasked, so that a space is put into them.
 * https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 */
export function textLine(line: string): string {
  return line.replace(COMMAND, '$1 ').replace(OLD_COMMAND, '$1 ');
}

/** A message of ours as one line of the log, whatever names and words from outside are in it. */
export function logLine(message: string): string {
  return textLine(plain(message, MOST));
}
