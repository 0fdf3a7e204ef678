import { describe, expect, test } from '@jest/globals';
import { makeFolder } from '../support/folder.ts';
import { REGIONS, REPOSITORY, startCloud } from './cloud.ts';
import { releaseInputs, TARGET } from './layouts.ts';
import { runStep } from './step.ts';

type Case = [what: string, inputs: Record<string, string>, error: RegExp];

describe('bad input', () => {
  test.each<Case>([
    [
      'no repository',
      { repository: '' },
      /^input "repository" is missing: write the name of the ECR repository/,
    ],
    ['no region', { regions: '' }, /^input "regions" is missing: write the AWS regions/],
    [
      'an unknown region',
      { regions: 'us-east-1,eu-wset-1' },
      /^input "regions": there is no AWS region "eu-wset-1"; did you mean eu-west-1\?$/,
    ],
    ['a malformed platform', { platforms: 'linux-amd64' }, /^input "platforms": .*: write os\/arch/],
    ['a tag that no registry accepts', { tags: 'v1+build' }, /^input "tags": "v1\+build": a tag has letters/],
    [
      'a layout that is none',
      { 'oci-layout': '.' },
      /^input "oci-layout": \. is not an OCI layout directory: oci-layout cannot be read/,
    ],
  ])('%s is one error that says what to do, and nothing is written', async (_, bad, error) => {
    const cloud = await startCloud();
    const { errors, outputs, leftovers } = await runStep({ ...(await releaseInputs()), ...bad });
    expect(errors).toEqual([expect.stringMatching(error)]);
    expect([...outputs]).toEqual([]);
    expect(cloud.writes()).toEqual([]);
    expect(leftovers).toEqual([]);
  });

  test('several mistakes are one error with all of them', async () => {
    const cloud = await startCloud();
    const { errors } = await runStep({ mode: 'stitch', repository: 'Bad', regions: 'mars-1', tags: '' });
    const [error = '', ...more] = errors;
    expect(error.split('\n').map((line) => /^- input "(\w+)"/.exec(line)?.[1])).toEqual([
      'repository',
      'regions',
      'tags',
    ]);
    expect(more).toEqual([]);
    expect(cloud.emulator.requests).toEqual([]);
  });
});

describe('what is not there', () => {
  test('a repository that two of four regions lack is told of both, and nothing is written in any', async () => {
    const cloud = await startCloud({ repository: false });
    const [first = '', second = '', ...lacking] = REGIONS;
    cloud.emulator.createRepository(REPOSITORY, {}, [first, second]);
    const { errors } = await runStep(await releaseInputs());
    expect(errors).toEqual([
      lacking
        .map(
          (region) =>
            `- ${region}: the repository "team/app" does not exist: create it there, or set "create-repository: true"`,
        )
        .join('\n'),
    ]);
    expect(cloud.writes()).toEqual([]);
  });

  test('credentials that are missing are told of once, and nothing is asked of any region', async () => {
    const cloud = await startCloud();
    const { errors } = await runStep(await releaseInputs(), {
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
    });
    expect(errors).toEqual([
      expect.stringMatching(/^no AWS credentials were found: give the job "permissions: id-token: write"/),
    ]);
    expect(cloud.emulator.requests).toEqual([]);
  });

  test('a docker that is missing is told of with two ways on, and nothing is written', async () => {
    const cloud = await startCloud();
    const context = await makeFolder();
    const { errors, leftovers } = await runStep({ ...TARGET, context }, { PATH: context });
    expect(errors).toEqual([
      expect.stringMatching(/^docker buildx was not found: run docker\/setup-buildx-action .*"oci-layout"$/),
    ]);
    expect(cloud.writes()).toEqual([]);
    expect(leftovers).toEqual([]);
  });
});
