import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { makeFolder } from '../support/folder.ts';
import { BUILD, problemsOf, readOptions } from './read.ts';

describe('the inputs of docker/build-push-action', () => {
  test.each([
    ['add-hosts', 'addHosts'],
    ['allow', 'allow'],
    ['no-cache-filters', 'noCacheFilters'],
    ['ssh', 'ssh'],
  ] as const)('"%s" is a list by comma or newline', async (name, option) => {
    expect((await readOptions({ [name]: 'a=1,b=2\nc=3' }))[option]).toEqual(['a=1', 'b=2', 'c=3']);
  });

  test('"secret-envs" is a list by comma or newline', async () => {
    const { secretEnvs } = await readOptions({ 'secret-envs': 'a=A,b=B\nc=C' });
    expect(secretEnvs).toEqual(['a=A', 'b=B', 'c=C']);
  });

  test.each([
    ['annotations', 'annotations'],
    ['attests', 'attests'],
    ['build-args', 'buildArgs'],
    ['build-contexts', 'buildContexts'],
    ['cache-from', 'cacheFrom'],
    ['cache-to', 'cacheTo'],
    ['labels', 'labels'],
    ['secret-files', 'secretFiles'],
    ['ulimit', 'ulimit'],
  ] as const)('"%s" is a list by newline, whose commas belong to the values', async (name, option) => {
    expect((await readOptions({ [name]: 'a=1,b=2\n\nc=#3\r\n' }))[option]).toEqual(['a=1,b=2', 'c=#3']);
  });

  test.each([
    ['target', 'target'],
    ['builder', 'builder'],
    ['provenance', 'provenance'],
    ['sbom', 'sbom'],
    ['network', 'network'],
    ['shm-size', 'shmSize'],
    ['cgroup-parent', 'cgroupParent'],
    ['github-token', 'githubToken'],
  ] as const)('"%s" is taken as it is, without white space around it', async (name, option) => {
    expect((await readOptions({ [name]: ' mode=max,a=b\n' }))[option]).toBe('mode=max,a=b');
  });

  test.each([
    ['pull', 'pull'],
    ['no-cache', 'noCache'],
  ] as const)('"%s" is a boolean, false by default', async (name, option) => {
    expect((await readOptions({}))[option]).toBe(false);
    expect((await readOptions({ [name]: 'true' }))[option]).toBe(true);
    expect(await problemsOf({ ...BUILD, [name]: 'yes' })).toEqual([
      `input "${name}": "yes": write true or false`,
    ]);
  });

  test.each([
    ['load', 'true', 'leave "load" out'],
    ['outputs', 'type=local,dest=.', 'leave "outputs" out'],
  ])('"%s" that contradicts this action is refused', async (name, value, advice) => {
    const [problem, ...more] = await problemsOf({ ...BUILD, [name]: value });
    expect(problem).toContain(`input "${name}": "${value}": `);
    expect(problem).toContain(advice);
    expect(more).toEqual([]);
  });

  test.each([['load', 'false']])('"%s: %s" contradicts nothing', async (name, value) => {
    expect(await problemsOf({ ...BUILD, [name]: value })).toEqual([]);
  });
});

describe('secrets', () => {
  test('are taken with their white space, over several lines in quotes', async () => {
    const { secrets } = await readOptions({ secrets: 'a= 1 \n"b={""k"":\n1}"\n' });
    expect(secrets).toEqual(['a= 1 ', 'b={"k":\n1}']);
  });

  test.each(['hunter2', '=hunter2', '"hunter2\nhunter2"'])(
    'that are no id=value are named by their place, never by their text: %p',
    async (secret) => {
      expect(await problemsOf({ ...BUILD, secrets: `fine=1\n${secret}` })).toEqual([
        'input "secrets": "entry 2": write id=value',
      ]);
    },
  );

  test('in quotes that never end are refused without their text', async () => {
    const problems = await problemsOf({ ...BUILD, secrets: '"key=hunter2' });
    expect(problems).toEqual([
      expect.stringMatching(/^input "secrets": an entry begins with a double quote/),
    ]);
    expect(problems.join()).not.toContain('hunter2');
  });

  test.each(['secret-envs', 'secret-files'])('"%s" that are no id=value are shown', async (name) => {
    expect(await problemsOf({ ...BUILD, [name]: 'TOKEN' })).toEqual([
      `input "${name}": "TOKEN": write id=value`,
    ]);
  });
});

describe('what is to be built', () => {
  test('is the checkout by default', async () => {
    expect((await readOptions({})).context).toBe('.');
  });

  test('must be there when it is a folder', async () => {
    const context = join(await makeFolder(), 'absent');
    expect(await problemsOf({ ...BUILD, context })).toEqual([
      `input "context": "${context}": there is no such file or folder: does the job run actions/checkout before?`,
    ]);
  });

  test('may be a Dockerfile of another name, which must be there too', async () => {
    const context = await makeFolder();
    const file = join(context, 'Containerfile');
    expect(await problemsOf({ ...BUILD, context, file })).toEqual([
      `input "file": "${file}": there is no such file or folder`,
    ]);
    await writeFile(file, 'FROM scratch\n');
    expect(await problemsOf({ ...BUILD, context, file })).toEqual([]);
  });

  test.each([
    'https://github.com/org/app.git#main:dir',
    'git://example.com/app.git',
    'git@github.com:org/app.git',
    'ssh://git@example.com/app.git',
    'github.com/org/app#main',
  ])('is not looked for on this machine when it is elsewhere: %s', async (context) => {
    expect(await problemsOf({ ...BUILD, context, file: 'in/the/context' })).toEqual([]);
  });

  test('is not read from a standard input that a step does not have', async () => {
    expect(await problemsOf({ ...BUILD, context: '-' })).toEqual([
      'input "context": "-": a step has no standard input; write a folder or a Git URL',
    ]);
  });

  test('needs no context when it is built already', async () => {
    const dir = await makeFolder();
    expect(await problemsOf({ ...BUILD, context: '.', 'oci-layout': dir })).toEqual([]);
  });

  test('must be there when it is built already', async () => {
    expect(await problemsOf({ ...BUILD, 'oci-layout': './nowhere' })).toEqual([
      'input "oci-layout": "./nowhere": there is no such file or folder',
    ]);
  });
});
