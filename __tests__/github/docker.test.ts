import { writeFile } from 'node:fs/promises';
import { delimiter } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { runnerDocker } from '../../src/github/docker.ts';
import { until } from '../support/memory.ts';
import { installDocker, removeDocker } from './fakeDocker.ts';

/** A docker whose output is shown to nobody but the test. */
function start(environment: NodeJS.ProcessEnv = {}) {
  const texts: string[] = [];
  const shown = new Writable({
    write(chunk, _, done) {
      texts.push(String(chunk));
      done();
    },
  });
  const docker = runnerDocker(shown, environment);
  const lines: string[] = [];
  const stop = new AbortController();
  const watch = { line: (text: string) => void lines.push(text), signal: stop.signal };
  return { docker, watch, stop, lines, shown, text: () => texts.join('') };
}

/** Shows a script that says something first, and ends it as soon as it has; tells how long it then went on, in milliseconds. */
async function endOnceBegun(script: string) {
  await installDocker(script);
  const { docker, watch, stop, lines } = start();
  const running = docker.show([], watch);
  await until(() => lines.length > 0);
  const aborted = performance.now();
  stop.abort();
  return { ...(await running), lines, took: performance.now() - aborted };
}

/** Has the script wait, for at most half a minute, for a file that `goOn` makes. */
const waitFor = (name: string) =>
  `n=0; while [ ! -e "$0.${name}" ] && [ $n -lt 600 ]; do n=$((n+1)); sleep 0.05; done`;

test('a command that is shown may have settings of its own', async () => {
  const dir = await installDocker('echo "$DOCKER_CONFIG"');
  const { docker, watch } = start({ PATH: `${dir}${delimiter}/usr/bin:/bin` });
  expect((await docker.show([], { ...watch, config: '/own' })).stdout).toBe('/own\n');
});

describe('a command that is asked', () => {
  test('gives its exit code and what it printed, and shows nothing', async () => {
    await installDocker('echo "out $*"; echo err >&2; exit 3');
    const { docker, text } = start();
    expect(await docker.ask(['buildx', 'version'])).toEqual({
      code: 3,
      stdout: 'out buildx version\n',
      stderr: 'err\n',
    });
    expect(text()).toBe('');
  });

  test('gets its arguments as they are', async () => {
    await installDocker('for each in "$@"; do echo "<$each>"; done');
    const { stdout } = await start().docker.ask(['a b', '$(id)', '', '"x"; y', 'two\nlines']);
    expect(stdout).toBe('<a b>\n<$(id)>\n<>\n<"x"; y>\n<two\nlines>\n');
  });

  test('has nothing on its standard input', async () => {
    await installDocker('cat; echo end');
    expect((await start().docker.ask([])).stdout).toBe('end\n');
  });
});

describe('a command that is shown', () => {
  test('is named first, then its output follows, and is given at the end with the exit code', async () => {
    await installDocker('echo out; echo err >&2; exit 7');
    const { docker, watch, text } = start();
    expect(await docker.show(['build', '.'], watch)).toEqual({ code: 7, stdout: 'out\n', stderr: 'err\n' });
    const [command, ...rest] = text().split('\n');
    expect(command).toBe('[command]docker build .');
    expect(rest.filter(Boolean).toSorted()).toEqual(['err', 'out']);
  });

  test('is followed while it runs', async () => {
    const dir = await installDocker(`echo early; echo '#1 early' >&2; ${waitFor('go')}`);
    const { docker, watch, lines, text } = start();
    const running = docker.show([], watch);
    await until(() => text().includes('early\n') && lines.length > 0);
    expect(lines).toEqual(['#1 early']);
    await goOn(dir);
    expect((await running).code).toBe(0);
  });

  test('tells the lines on its standard error one by one, however they are cut', async () => {
    const dir = await installDocker(
      [
        'echo "not told"',
        'printf "#1 one\\n#2 t" >&2',
        waitFor('go'),
        'printf "wo\\n\\n#3 \\303" >&2; sleep 0.05; printf "\\274\\r\\nlast" >&2',
      ].join('\n'),
    );
    const { docker, watch, lines, text } = start();
    const running = docker.show([], watch);
    await until(() => lines.length > 0);
    expect(lines).toEqual(['#1 one']);
    await goOn(dir);
    const { stderr } = await running;
    expect(lines).toEqual(['#1 one', '#2 two', '', '#3 ü', 'last']);
    expect(stderr).toBe('#1 one\n#2 two\n\n#3 ü\r\nlast');
    expect(text()).toContain('#3 ü\nlast\n');
  });

  test('keeps no more than the last 256 KiB of either output, and shows all of it', async () => {
    await installDocker(
      'head -c 400000 /dev/zero | tr "\\0" o; echo end; { head -c 400000 /dev/zero | tr "\\0" e; echo end; } >&2',
    );
    const { docker, watch, text } = start();
    const { code, stdout, stderr } = await docker.show([], watch);
    expect(code).toBe(0);
    expect([stdout.length, stderr.length]).toEqual([256 * 1024, 256 * 1024]);
    expect(stdout).toMatch(/^o+end\n$/);
    expect(stderr).toMatch(/^e+end\n$/);
    expect(text().length).toBeGreaterThan(800_000);
  });

  test('is ended by the signal, and what it had said is given', async () => {
    const { code, stderr } = await endOnceBegun('echo begun >&2; exec sleep 60');
    expect(code).not.toBe(0);
    expect(stderr).toBe('begun\n');
  });

  test('may have its last words when it is ended', async () => {
    const last = 'echo "#9 cancelled" >&2; exit 1';
    const { code, stderr, lines } = await endOnceBegun(
      `trap '${last}' TERM; echo begun >&2; while :; do sleep 0.05; done`,
    );
    expect(code).toBe(1);
    expect(stderr.endsWith('#9 cancelled\n')).toBe(true);
    expect(lines.at(-1)).toBe('#9 cancelled');
  });

  test('is ended with what it runs: an older docker does not end its plugins itself', async () => {
    const { took } = await endOnceBegun(
      'trap : TERM; sleep 10 & echo begun >&2; wait; wait; echo "ended by itself" >&2',
    );
    expect(took).toBeLessThan(5000);
  });

  test('is ended with what it leaves behind when it ends first', async () => {
    const { took } = await endOnceBegun(`sh -c 'trap "" TERM; echo begun >&2; sleep 20' & wait`);
    expect(took).toBeLessThan(15_000);
  });

  test('is shown by whole lines, so that nothing else that is written stands in the middle of one', async () => {
    await installDocker('printf "half " >&2; sleep 0.3; printf "and half\\rnot a line\\nend" >&2');
    const { docker, watch, lines, shown, text } = start();
    const running = docker.show([], watch);
    const masking = setTimeout(() => shown.write('::add-mask::secret\n'), 100);
    await running;
    clearTimeout(masking);
    expect(lines).toEqual(['half and half not a line', 'end']);
    expect(text().split('\n')).toEqual(
      expect.arrayContaining(['half and half not a line', '::add-mask::secret', 'end']),
    );
  });

  test('does not outlive a signal that was given before it began', async () => {
    await installDocker('exec sleep 60');
    const { docker, watch, stop } = start();
    stop.abort();
    expect((await docker.show([], watch)).code).not.toBe(0);
  });
});

test('a docker that is not there is told with the system code', async () => {
  await removeDocker();
  const { docker, watch } = start();
  await expect(docker.ask(['version'])).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(docker.show(['version'], watch)).rejects.toMatchObject({ code: 'ENOENT' });
});

/** Lets a script that waits go on. */
async function goOn(dir: string): Promise<void> {
  await writeFile(`${dir}/docker.go`, '');
}
