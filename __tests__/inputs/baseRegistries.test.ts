import { expect, test } from '@jest/globals';
import { BUILD, problemsOf, readImage } from './read.ts';

async function registriesOf(text: string) {
  return (await readImage({ 'base-registries': text })).baseRegistries;
}

const HOST = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';

test('registries of base images are none by default', async () => {
  expect(await registriesOf('')).toEqual([]);
});

test('registries of base images are hosts, or regions of the caller, each once', async () => {
  expect(await registriesOf(`${HOST}, us-east-1\n${HOST}`)).toEqual([
    { account: '123456789012', region: 'eu-west-1', fips: false, dualStack: false, role: undefined },
    { account: undefined, region: 'us-east-1', fips: false, dualStack: false, role: undefined },
  ]);
});

test.each([
  [`${HOST}/team/base`, /write the host of a registry of ECR without a repository/],
  ['ghcr.io', /or a region; log in to other registries with docker\/login-action/],
  ['us-eest-1', /there is no AWS region "us-eest-1"; did you mean us-east-1\?/],
])('%s is no registry of base images', async (text, words) => {
  const problems = await problemsOf({ ...BUILD, 'base-registries': text });
  expect(problems).toEqual([expect.stringMatching(words)]);
  expect(problems[0]).toContain(`input "base-registries": "${text}": `);
});
