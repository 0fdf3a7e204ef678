/** A workflow command, as the runner takes it from a line of a step's output. */
export interface Command {
  readonly name: string;
  readonly data: string;
  readonly line: string;
}

/**
 * What the runner's comparisons do not see: .NET compares by the rules of a culture, for which these characters are nothing.
 * https://learn.microsoft.com/dotnet/standard/base-types/string-comparison-net-5-plus
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * The commands in a step's output, in both forms: `::name data::`, for which only white space may come before, and
 * `##[name data]`, which may stand anywhere. Whatever is named is taken for a command, registered or not.
 * https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 */
export function commandsIn(output: string): Command[] {
  return output.split(/\r\n|\r|\n/).flatMap((line) => {
    const seen = line.replace(UNSEEN, '');
    const [, info, data = ''] = /^\s*::(.*?)::(.*)$/.exec(seen) ?? /##\[([^\]]*)\](.*)$/.exec(seen) ?? [];
    const name = info?.split(' ')[0];
    return name ? [{ name: name.toLowerCase(), data, line }] : [];
  });
}

/** Texts with which somebody outside would give the runner commands, if they got into its log as they are. */
export const COMMANDS: readonly string[] = [
  '::set-output name=pwned::1',
  'x\n::stop-commands::pwned',
  'x\r::add-mask::pwned',
  'x\r\n  ::add-matcher::pwned',
  'x\n\u0085\u00a0\ufeff::error::pwned',
  'x\n\u200b:\u00ad:set-env name=pwned::1',
  '##[set-output name=pwned]1',
  'x ##[stop-commands]pwned',
  'x #\u200b#\u00ad[add-mask]pwned',
  '\u2028::save-state name=pwned::1',
  '::\n::pwned::1',
];
