import { writeFile } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { runnerDocker } from '../../src/github/docker.ts';
import { installDocker } from '../github/fakeDocker.ts';
import { makeFolder } from '../support/folder.ts';
import { COMMANDS, commandsIn } from './commands.ts';

/** Shows a script and tells all that was shown, and the lines that were told. */
async function show(script: string, args: readonly string[] = []) {
  await installDocker(script);
  const pieces: string[] = [];
  const shown = new Writable({
    write(chunk, _, done) {
      pieces.push(String(chunk));
      done();
    },
  });
  const lines: string[] = [];
  const { signal } = new AbortController();
  await runnerDocker(shown, {}).show(args, { line: (text) => void lines.push(text), signal });
  return { text: pieces.join(''), lines };
}

describe("what docker prints is shown as text, and gives the runner's log no commands", () => {
  test.each(['>&1', '>&2'])('%s', async (where) => {
    const file = `${await makeFolder()}/log`;
    await writeFile(file, COMMANDS.join('\n'));
    const { text } = await show(`cat ${file} ${where}`);
    expect(text.match(/pwned/g)).toHaveLength(COMMANDS.length);
    expect(commandsIn(text)).toEqual([]);
  });

  test('in its own arguments', async () => {
    const { text } = await show(
      ':',
      COMMANDS.flatMap((value) => ['--label', `a=${value}`]),
    );
    expect(commandsIn(text)).toEqual([]);
    expect(text.trimEnd()).not.toMatch(/[\r\n]/);
    expect(text).toMatch(/^\[command\]docker --label a=/);
  });

  test('and other lines stay as they are', async () => {
    const usual = [
      '#7 [linux/amd64 2/3] RUN echo "a :: b" && \u001b[31mred\u001b[0m',
      '#7 0.123 :::: a##b # #[c]',
      '   2 | >>> FROM scratch 🐳 👩‍🚀',
      '  :not a command:',
    ];
    const file = `${await makeFolder()}/log`;
    await writeFile(file, usual.join('\n'));
    const { text, lines } = await show(`cat ${file} >&2`);
    expect(text.trimEnd().split('\n').slice(1)).toEqual(usual);
    expect(lines).toEqual(usual);
  });
});

test('a line without end is shown and told in pieces, and not kept', async () => {
  const { text, lines } = await show('head -c 3000000 /dev/zero | tr "\\0" x >&2');
  expect(text.match(/x/g)?.length).toBe(3_000_000);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(256 * 1024);
  expect(lines.join('').length).toBe(3_000_000);
});
