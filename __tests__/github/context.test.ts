import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readContext } from '../../src/github/context.ts';
import { makeFolder } from '../support/folder.ts';

async function eventFile(text: string): Promise<NodeJS.ProcessEnv> {
  const path = join(await makeFolder(), 'event.json');
  await writeFile(path, text);
  return { GITHUB_EVENT_PATH: path };
}

describe('the context of a run', () => {
  test('is what the runner says of it', async () => {
    const context = await readContext(
      {
        GITHUB_RUN_ID: '4711',
        GITHUB_RUN_ATTEMPT: '3',
        GITHUB_JOB: 'build',
        GITHUB_SERVER_URL: 'https://github.com',
        GITHUB_REPOSITORY: 'org/app',
        BUILDX_NO_DEFAULT_ATTESTATIONS: '1',
        AWS_ENDPOINT_URL_ECR: 'http://localhost:4566',
      },
      '/tmp/here',
    );
    expect(context).toEqual({
      runId: '4711',
      runAttempt: 3,
      job: 'build',
      call: undefined,
      repositoryUrl: 'https://github.com/org/app',
      runUrl: 'https://github.com/org/app/actions/runs/4711/attempts/3',
      privateRepository: false,
      noDefaultAttestations: true,
      tempDir: '/tmp/here',
      apiOverridden: true,
    });
  });

  test('can be had outside of GitHub', async () => {
    expect(await readContext({}, '/tmp/here')).toEqual({
      runId: '0',
      runAttempt: 1,
      job: '',
      repositoryUrl: '',
      runUrl: '',
      privateRepository: false,
      noDefaultAttestations: false,
      tempDir: '/tmp/here',
      apiOverridden: false,
    });
  });

  test.each([
    [true, '{"repository":{"private":true}}'],
    [false, '{"repository":{"private":false}}'],
    [false, '{"repository":{}}'],
    [false, '{"schedule":"0 0 * * *"}'],
  ])('says %p for private when the event is %s', async (isPrivate, event) => {
    expect((await readContext(await eventFile(event), '')).privateRepository).toBe(isPrivate);
  });

  test.each(['', '{"repository":', 'null', '[]', '{"repository":{"private":"yes"}}'])(
    'takes a broken event file for that of a public repository: %p',
    async (event) => {
      expect((await readContext(await eventFile(event), '')).privateRepository).toBe(false);
    },
  );

  test('takes a missing event file for that of a public repository', async () => {
    const context = await readContext({ GITHUB_EVENT_PATH: '/nowhere/event.json' }, '');
    expect(context.privateRepository).toBe(false);
  });

  test.each([
    ['AWS_ENDPOINT_URL', 'http://localhost:4566', true],
    ['AWS_ENDPOINT_URL_ECR', '', false],
  ])('knows that %s=%s leads the API elsewhere: %p', async (name, value, apiOverridden) => {
    expect((await readContext({ [name]: value }, '')).apiOverridden).toBe(apiOverridden);
  });

  test.each([
    ['1', true],
    ['true', true],
    ['0', false],
    ['false', false],
    ['', false],
  ])('respects BUILDX_NO_DEFAULT_ATTESTATIONS=%s', async (value, expected) => {
    const context = await readContext({ BUILDX_NO_DEFAULT_ATTESTATIONS: value }, '');
    expect(context.noDefaultAttestations).toBe(expected);
  });
});

describe('the call of a reusable workflow that a job is in', () => {
  const callOf = async (id: string | undefined, job = 'build') =>
    (
      await readContext(
        { GITHUB_JOB: job, ...(id !== undefined && { ACTIONS_ORCHESTRATION_ID: id }) },
        '/tmp',
      )
    ).call;

  test.each([
    ['none', '0d7a-11.build.__default', ''],
    ['none, in a matrix', '0d7a-11.build.linux_arm64.eu-west-1', ''],
    ['one', '0d7a-11.release.build.__default', 'release'],
    ['one of a matrix', '0d7a-11.release.debug.build.linux_amd64', 'release.debug'],
  ])('is read from the id that the runner gives: %s', async (_, id, call) => {
    expect(await callOf(id)).toBe(call);
  });

  test.each([
    ['there is no id', undefined],
    ['it is in another form', '0d7a-11'],
    ['the job is not in it', '0d7a-11.test.__default'],
    ['it could be read in two ways', '0d7a-11.build.build.__default'],
  ])('is not known when %s', async (_, id) => {
    expect(await callOf(id)).toBeUndefined();
  });
});
