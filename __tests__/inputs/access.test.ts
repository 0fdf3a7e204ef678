import { describe, expect, test } from '@jest/globals';
import type { InputEnvironment } from '../../src/inputs/target.ts';
import { BUILD, problemsOf, read, readAccess, type Values } from './read.ts';

const ROLE = 'arn:aws:iam::210987654321:role/publish';

const accessOf = (values: Values = {}) => readAccess({ ...BUILD, ...values });
const refusalsOf = (values: Values, environment?: InputEnvironment) =>
  problemsOf({ ...BUILD, ...values }, environment);

/** Which addresses of the registries are meant, of each destination. */
async function endpointsOf(values: Values, environment: InputEnvironment = {}) {
  const { target } = await read({ ...BUILD, ...values }, environment);
  return target.places.map((place) =>
    place.kind === 'private' ? { fips: place.fips, dualStack: place.dualStack } : undefined,
  );
}

test('by default ECR is called as whoever the job is', async () => {
  expect(await accessOf()).toEqual({
    role: undefined,
    sessionName: 'ecr-multiarch',
    duration: undefined,
    audience: 'sts.amazonaws.com',
  });
});

test('a role is assumed as the inputs say', async () => {
  const access = await accessOf({
    'role-to-assume': ` ${ROLE}\n`,
    'role-external-id': ' shared/secret ',
    'role-session-name': 'release-42@main',
    'role-duration-seconds': '7200',
    audience: 'sts.amazonaws.com.cn',
  });
  expect(access).toEqual({
    role: { arn: ROLE, externalId: 'shared/secret' },
    sessionName: 'release-42@main',
    duration: 7200,
    audience: 'sts.amazonaws.com.cn',
  });
});

describe('role-to-assume', () => {
  const accountOf = async (values: Values) => {
    const { target } = await read({ ...BUILD, ...values });
    return target.places.map((place) => (place.kind === 'private' ? place.account : undefined));
  };

  test('needs no external id', async () => {
    expect((await accessOf({ 'role-to-assume': ROLE })).role).toEqual({ arn: ROLE });
  });

  test('says the account too, unless another is stated', async () => {
    expect(await accountOf({ 'role-to-assume': ROLE })).toEqual(['210987654321']);
    expect(await accountOf({ 'role-to-assume': ROLE, 'account-id': '123456789012' })).toEqual([
      '123456789012',
    ]);
  });

  test.each(['publish', '123456789012', 'arn:aws:iam::123456789012:user/me', `${ROLE} x`])(
    '%s is no role’s ARN',
    async (arn) => {
      expect(await refusalsOf({ 'role-to-assume': arn })).toEqual([
        `input "role-to-assume": "${arn}": write a role's ARN, such as "arn:aws:iam::123456789012:role/publish"`,
      ]);
    },
  );
});

test('an external id without a role is refused', async () => {
  expect(await refusalsOf({ 'role-external-id': 'x7' })).toEqual([
    'input "role-external-id": "x7": an external id needs a role: set "role-to-assume"',
  ]);
});

describe('role-session-name', () => {
  test.each(['ab', 'A_b+c=d,e.f@g-h', 'x'.repeat(64)])('%s is taken', async (name) => {
    expect((await accessOf({ 'role-session-name': name })).sessionName).toBe(name);
  });

  test.each(['x', 'x'.repeat(65), 'a b', 'run/7', 'ümlaut'])('%s is refused', async (name) => {
    expect(await refusalsOf({ 'role-session-name': name })).toEqual([
      `input "role-session-name": "${name}": write 2 to 64 letters, digits and "_+=,.@-"`,
    ]);
  });
});

describe('role-duration-seconds', () => {
  test.each([900, 3600, 43_200])('%d is taken', async (seconds) => {
    expect((await accessOf({ 'role-duration-seconds': String(seconds) })).duration).toBe(seconds);
  });

  test.each(['0', '899', '43201'])('%s is too short or too long', async (seconds) => {
    expect(await refusalsOf({ 'role-duration-seconds': seconds })).toEqual([
      `input "role-duration-seconds": "${seconds}": a role is assumed for 900 to 43200 seconds`,
    ]);
  });

  test.each(['1h', '3600.5', 'an hour'])('%s is no number of seconds', async (seconds) => {
    expect(await refusalsOf({ 'role-duration-seconds': seconds })).toEqual([
      `input "role-duration-seconds": "${seconds}": write a whole number`,
    ]);
  });
});

describe.each([
  ['use-fips-endpoint', 'AWS_USE_FIPS_ENDPOINT', 'fips'],
  ['use-dualstack-endpoint', 'AWS_USE_DUALSTACK_ENDPOINT', 'dualStack'],
] as const)('%s', (input, variable, option) => {
  const none = { fips: false, dualStack: false };
  const with_ = { ...none, [option]: true };

  test('holds for every region', async () => {
    expect(await endpointsOf({ [input]: 'true', regions: 'us-east-1,cn-north-1' })).toEqual([with_, with_]);
  });

  test(`is by default what ${variable} says`, async () => {
    expect(await endpointsOf({})).toEqual([none]);
    expect(await endpointsOf({}, { [variable]: 'true' })).toEqual([with_]);
    expect(await endpointsOf({}, { [variable]: 'false' })).toEqual([none]);
    expect(await endpointsOf({ [input]: 'false' }, { [variable]: 'true' })).toEqual([none]);
    expect(await endpointsOf({ [input]: 'true' }, { [variable]: 'false' })).toEqual([with_]);
  });

  test('holds for all destinations, hosts among them', async () => {
    const destinations = 'us-west-2\n123456789012.dkr.ecr.us-east-1.amazonaws.com';
    expect(await endpointsOf({ [input]: 'true', destinations })).toEqual([with_, with_]);
  });

  test('is true or false', async () => {
    expect(await refusalsOf({ [input]: 'yes' })).toEqual([`input "${input}": "yes": write true or false`]);
  });
});

describe('dual stack where there is none', () => {
  const words = 'eusc-de-east-1 is in the partition aws-eusc, whose registries have no dual-stack addresses';

  test('is refused for regions, by the input or by the environment', async () => {
    const regions = 'us-east-1,eusc-de-east-1';
    const problems = [`input "regions": ${words}`];
    expect(await refusalsOf({ regions, 'use-dualstack-endpoint': 'true' })).toEqual(problems);
    expect(await refusalsOf({ regions }, { AWS_USE_DUALSTACK_ENDPOINT: 'true' })).toEqual(problems);
  });

  test('is refused for destinations, hosts among them', async () => {
    const host = '123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu';
    const more = { 'use-dualstack-endpoint': 'true' };
    expect(await refusalsOf({ destinations: 'eusc-de-east-1', ...more })).toEqual([
      expect.stringContaining(
        `input "destinations": "eusc-de-east-1": ${words}; a destination is a region, `,
      ),
    ]);
    expect(await refusalsOf({ destinations: host, ...more })).toEqual([expect.stringContaining(words)]);
  });
});

describe('mount-from', () => {
  test('names repositories by comma or newline, each once', async () => {
    const { target } = await read({ ...BUILD, 'mount-from': 'team/base, node\nteam/base' });
    expect(target.mountFrom).toEqual(['team/base', 'node']);
    expect((await read(BUILD)).target.mountFrom).toEqual([]);
  });

  test.each([
    'Team/Base',
    'base:v1',
    '/base',
    '123456789012.dkr.ecr.us-east-1.amazonaws.com/base',
    '123456789012.dkr-ecr.us-east-1.on.aws/base',
  ])('%s is no repository’s name', async (name) => {
    expect(await refusalsOf({ 'mount-from': `node,${name}` })).toEqual([
      `input "mount-from": "${name}": write names of repositories in the same registries, such as "team/base"`,
    ]);
  });
});

test('all that is wrong is told at once', async () => {
  const problems = await refusalsOf({
    'account-id': 'me',
    'role-to-assume': 'publish',
    'role-session-name': '!',
    'role-duration-seconds': '60',
    'use-fips-endpoint': 'yes',
    'use-dualstack-endpoint': 'no',
    'mount-from': 'A,B',
    regions: 'eu-wst-1',
  });
  expect(problems.map((problem) => /^input "([^"]+)"/.exec(problem)?.[1]).toSorted()).toEqual([
    'account-id',
    'mount-from',
    'mount-from',
    'regions',
    'role-duration-seconds',
    'role-session-name',
    'role-to-assume',
    'use-dualstack-endpoint',
    'use-fips-endpoint',
  ]);
});
