import { describe, expect, test } from '@jest/globals';
import { startCloud } from './cloud.ts';
import { releaseInputs, TARGET } from './layouts.ts';
import { runStep } from './step.ts';

const ROLE = { 'role-to-assume': 'arn:aws:iam::123456789012:role/publish' };
const ADVICE =
  'write a URL with its scheme and without a user, such as "http://localhost:4566", or leave it out';

/** What a step fails with in an environment, before anybody is asked anything. */
async function refusalIn(environment: NodeJS.ProcessEnv, inputs: Readonly<Record<string, string>> = {}) {
  const cloud = await startCloud();
  const { errors } = await runStep({ ...(await releaseInputs()), ...inputs }, environment);
  expect(cloud.emulator.requests).toEqual([]);
  return errors.join('\n');
}

describe('an address of the API that cannot be used', () => {
  test.each([
    ['AWS_ENDPOINT_URL', 'localhost', 'localhost'],
    ['AWS_ENDPOINT_URL_ECR', 'localhost:4566', 'localhost:4566'],
    ['AWS_ENDPOINT_URL_ECR', 'ftp://localhost', 'ftp://localhost'],
    ['AWS_ENDPOINT_URL_STS', 'localhost:4566', 'localhost:4566'],
    ['AWS_ENDPOINT_URL_ECR', 'http://me:hunter2@localhost:4566', 'http://…@localhost:4566'],
  ])('is one error for all regions that names %s, without a password: %s', async (name, text, shown) => {
    expect(await refusalIn({ [name]: text }, ROLE)).toBe(`${name}: "${shown}": ${ADVICE}`);
  });

  test('is that of ECR Public, too', async () => {
    const inputs = { regions: '', destinations: 'public.ecr.aws/alias/app', repository: 'app' };
    expect(await refusalIn({ AWS_ENDPOINT_URL_ECR_PUBLIC: 'x' }, inputs)).toBe(
      `AWS_ENDPOINT_URL_ECR_PUBLIC: "x": ${ADVICE}`,
    );
  });

  test('is told in a mirror of its source', async () => {
    const { 'oci-layout': _, legs: __, ...inputs } = await releaseInputs();
    const source = '123456789012.dkr.ecr.us-east-1.amazonaws.com/base:v1';
    await startCloud();
    const { errors } = await runStep({ ...inputs, mode: 'mirror', source }, { AWS_ENDPOINT_URL_ECR: 'x' });
    expect(errors).toEqual([`AWS_ENDPOINT_URL_ECR: "x": ${ADVICE}`]);
  });
});

describe('keys with white space', () => {
  test.each(['hunter2\n', ' hunter2', 'hunter2\r\n', 'hun ter2'])(
    'are refused by the names of their variables, and are not shown: %j',
    async (text) => {
      for (const inputs of [{}, ROLE]) {
        const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];
        const refusal = await refusalIn(Object.fromEntries(names.map((name) => [name, text])), inputs);
        expect(refusal.split('\n').map((line) => line.split(' has ')[0])).toEqual(
          names.map((name) => `- ${name}`),
        );
        expect(refusal).toContain('has a space, a line break or another character that no key has');
        expect(refusal).not.toContain(text.trim());
      }
    },
  );

  test('are nothing to a step that uses none', async () => {
    await startCloud();
    const inputs = { ...(await releaseInputs()), ...TARGET, push: 'false' };
    const { errors } = await runStep(inputs, { AWS_SECRET_ACCESS_KEY: 'hunter2\n' });
    expect(errors).toEqual([]);
  });
});
