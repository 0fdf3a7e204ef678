import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseCli, UsageError } from '../../emulator/cli.ts';

describe('the command line', () => {
  test('has a default for everything', () => {
    expect(parseCli([])).toEqual({
      regions: ['us-east-1'],
      accounts: ['123456789012'],
      repositories: [],
      port: 0,
    });
  });

  test('names regions, accounts, repositories, a port and a folder', () => {
    const args =
      '--regions us-east-1,us-gov-west-1 --port 5100 --account 111111111111 --account 222222222222';
    expect(
      parseCli([...args.split(' '), '--repository', 'app', '--repository', 'a/b', '--dir', '/tmp']),
    ).toEqual({
      regions: ['us-east-1', 'us-gov-west-1'],
      accounts: ['111111111111', '222222222222'],
      repositories: ['app', 'a/b'],
      port: 5100,
      dir: '/tmp',
    });
  });

  test.each([
    ['--regions', 'us-eest-1', 'there is no AWS region "us-eest-1"; did you mean us-east-1?'],
    ['--regions', 'us-east-1,us-east-1', 'twice'],
    ['--port', 'http', '"http" is not a port'],
    ['--port', '65535', 'not a port with room'],
    ['--account', '12', '"12" is not an account'],
    ['--repository', 'My App', '"My App" is not a name'],
    ['--colour', 'red', '--colour'],
  ])('refuses %s %s', (option, value, message) => {
    expect(() => parseCli([option, value])).toThrow(UsageError);
    expect(() => parseCli([option, value])).toThrow(message);
  });
});

describe('the program', () => {
  let dir: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'emulator-cli-'));
  });

  afterEach(() => rm(dir, { recursive: true, force: true }));

  function run(...args: string[]) {
    const main = join(import.meta.dirname, '../../emulator/main.ts');
    return spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  }

  test('serves until it is told to end, and leaves nothing behind', async () => {
    const child = run('--regions', 'us-east-1,eu-west-1', '--dir', dir);
    let output = '';
    for await (const chunk of child.stdout) {
      output += chunk;
      if (output.includes('Ctrl-C')) break;
    }
    const url = /eu-west-1 +(http:\/\/127\.0\.0\.1:\d+)/.exec(output)?.[1] ?? '';
    expect((await fetch(`${url}/v2/`)).status).toBe(401);
    expect(output).toMatch(
      /export AWS_ENDPOINT_URL_ECR=(http:\/\/127\.0\.0\.1:\d+)\n +export AWS_ENDPOINT_URL_STS=\1\n/,
    );
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(await readdir(dir)).toEqual([]);
  });

  test('says what is wrong and ends with 2', async () => {
    const child = run('--dir', join(dir, 'nowhere'));
    const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect([errors, code]).toEqual([
      `--dir ${join(dir, 'nowhere')}: there is no such folder\nTry --help.\n`,
      2,
    ]);
  });
});
