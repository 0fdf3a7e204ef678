import { describe, expect, test } from '@jest/globals';
import type { Place, PrivatePlace } from '../../src/ecr/places.ts';
import { BUILD, problemsOf, read, type Values } from './read.ts';

const ACCOUNT = '123456789012';
const HOST = '123456789012.dkr.ecr.us-east-1.amazonaws.com';
const ROLE = 'arn:aws:iam::210987654321:role/publish';
const FORMS =
  'a destination is a region, 123456789012.dkr.ecr.us-east-1.amazonaws.com, or HOST/REPOSITORY, each on a line of its own';

/** Inputs whose regions do not count. */
const inputs = (destinations: string, more: Values = {}): Values => ({ ...BUILD, destinations, ...more });

async function placesOf(destinations: string, more: Values = {}): Promise<readonly Place[]> {
  return (await read(inputs(destinations, more))).target.places;
}

/** A place as it is by default. */
function ours(region: string, more: Partial<PrivatePlace> = {}): PrivatePlace {
  return {
    kind: 'private',
    region,
    account: undefined,
    repository: 'team/app',
    role: undefined,
    fips: false,
    dualStack: false,
    ...more,
  };
}

describe('a destination', () => {
  test('stands on a line of its own, with or without the dash of a list', async () => {
    expect(await placesOf('eu-west-1\n\n  sa-east-1  \r\n')).toEqual([ours('eu-west-1'), ours('sa-east-1')]);
    expect(await placesOf('- eu-west-1\n- sa-east-1')).toEqual([ours('eu-west-1'), ours('sa-east-1')]);
  });

  test('does not stand beside regions, which would be missed', async () => {
    const values = { ...BUILD, regions: 'eu-west-3, eu-west-2', destinations: 'eu-west-1' };
    expect(await problemsOf(values)).toEqual([
      expect.stringMatching(/^input "regions": "eu-west-3, eu-west-2": "destinations" stands instead of it/),
    ]);
  });

  test('may be a region: in the account that is stated', async () => {
    expect(await placesOf('eu-west-1', { 'account-id': ACCOUNT })).toEqual([
      ours('eu-west-1', { account: ACCOUNT }),
    ]);
  });

  test.each([
    ['in its account and region', HOST, {}],
    ['FIPS', '123456789012.dkr.ecr-fips.us-east-1.amazonaws.com', { fips: true }],
    ['dual stack', '123456789012.dkr-ecr.us-east-1.on.aws', { dualStack: true }],
    ['both', '123456789012.dkr-ecr-fips.us-east-1.on.aws', { fips: true, dualStack: true }],
    ['in China', '123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', { region: 'cn-north-1' }],
    ['in a new region', '123456789012.dkr.ecr.xy-moon-1.amazonaws.com', { region: 'xy-moon-1' }],
  ])('may be the host of a registry: %s', async (_, host, more) => {
    expect(await placesOf(host)).toEqual([ours('us-east-1', { account: ACCOUNT, ...more })]);
  });

  test('that is a host is in its own account, whatever account is stated', async () => {
    expect(await placesOf(HOST, { 'account-id': '210987654321', 'role-to-assume': ROLE })).toEqual([
      ours('us-east-1', { account: ACCOUNT }),
    ]);
  });

  test('that is a host may have a repository of its own', async () => {
    expect(await placesOf(`${HOST}/other/name\n${HOST}`)).toEqual([
      ours('us-east-1', { account: ACCOUNT, repository: 'other/name' }),
      ours('us-east-1', { account: ACCOUNT }),
    ]);
  });

  test.each([
    ['public.ecr.aws/alias', 'alias/team/app'],
    ['public.ecr.aws/alias/name', 'alias/name'],
    ['public.ecr.aws/alias/deep/name', 'alias/deep/name'],
  ])('may be an alias of Amazon ECR Public: %s', async (text, repository) => {
    expect(await placesOf(text)).toEqual([{ kind: 'public', repository, role: undefined }]);
  });

  test.each([
    ['ghcr.io/org/app', 'ghcr.io', 'org/app'],
    ['ghcr.io', 'ghcr.io', 'team/app'],
    ['registry.example:5000/app', 'registry.example:5000', 'app'],
    ['localhost/app', 'localhost', 'app'],
    ['127.0.0.1:5000/app', '127.0.0.1:5000', 'app'],
    ['[::1]:5000/app', '[::1]:5000', 'app'],
    ['docker.io/org/app', 'registry-1.docker.io', 'org/app'],
    ['index.docker.io/org/app', 'registry-1.docker.io', 'org/app'],
  ])('may be a repository of any registry: %s', async (text, registry, repository) => {
    expect(await placesOf(text)).toEqual([{ kind: 'other', registry, repository }]);
  });

  test('of one kind goes with those of others', async () => {
    const places = await placesOf(`us-east-1\n${HOST}/copy\npublic.ecr.aws/alias\nghcr.io/org/app`);
    expect(places.map(({ kind, repository }) => [kind, repository])).toEqual([
      ['private', 'team/app'],
      ['private', 'copy'],
      ['public', 'alias/team/app'],
      ['other', 'org/app'],
    ]);
  });
});

describe('a destination’s role', () => {
  test('is assumed for it alone, in its account where no other is named', async () => {
    expect(await placesOf(`us-east-1 role=${ROLE}\n${HOST}  role=${ROLE}\neu-west-1`)).toEqual([
      ours('us-east-1', { account: '210987654321', role: { arn: ROLE } }),
      ours('us-east-1', { account: ACCOUNT, role: { arn: ROLE } }),
      ours('eu-west-1'),
    ]);
  });

  test('comes before the account that is stated', async () => {
    const [place] = await placesOf(`us-east-1 role=${ROLE}`, { 'account-id': ACCOUNT });
    expect(place).toMatchObject({ account: '210987654321' });
  });

  test('may ask for an external id, in either order', async () => {
    const role = { arn: ROLE, externalId: 'a=b:c/d' };
    expect(
      await placesOf(
        `us-east-1 role=${ROLE} external-id=a=b:c/d\neu-west-1\texternal-id=a=b:c/d role=${ROLE}`,
      ),
    ).toEqual([
      ours('us-east-1', { account: '210987654321', role }),
      ours('eu-west-1', { account: '210987654321', role }),
    ]);
  });

  test('may be one for Amazon ECR Public', async () => {
    expect(await placesOf(`public.ecr.aws/alias role=${ROLE}`)).toEqual([
      { kind: 'public', repository: 'alias/team/app', role: { arn: ROLE } },
    ]);
  });

  test('may be one of a path that has a comma', async () => {
    const arn = 'arn:aws:iam::123456789012:role/a,b/publish';
    expect(await placesOf(`us-east-1 role=${arn}`)).toEqual([
      ours('us-east-1', { account: ACCOUNT, role: { arn } }),
    ]);
  });

  test.each([
    [
      'is not for other registries',
      `ghcr.io/org/app role=${ROLE}`,
      `ghcr.io/org/app role=${ROLE}`,
      'a role is for ECR: log in to other registries with docker/login-action before this step',
    ],
    [
      'is written as an ARN',
      'us-east-1 role=publish',
      'publish',
      'write a role\'s ARN, such as "arn:aws:iam::123456789012:role/publish"',
    ],
    [
      'is needed for an external id',
      'us-east-1 external-id=7',
      'us-east-1 external-id=7',
      'an external id needs a role: add "role=ARN"',
    ],
    [
      'stands there once',
      `us-east-1 role=${ROLE} role=${ROLE}`,
      `us-east-1 role=${ROLE} role=${ROLE}`,
      'write "role=" once',
    ],
  ])('%s', async (_, text, value, advice) => {
    expect(await problemsOf(inputs(text))).toEqual([`input "destinations": "${value}": ${advice}`]);
  });

  test.each(['rolex', 'role', 'role=', 'external-id=', 'Role=x', 'region=us-east-1', 'eu-west-1', '='])(
    'is not what "%s" says, and neither is anything else',
    async (option) => {
      expect(await problemsOf(inputs(`us-east-1 ${option}`))).toEqual([
        `input "destinations": "${option}": a line has one destination, after which come "role=ARN" and "external-id=ID" alone`,
      ]);
    },
  );
});

describe('a destination that is none is told with what to write:', () => {
  test.each([
    ['us-esat-1', `there is no AWS region "us-esat-1"; did you mean us-east-1?; ${FORMS}`],
    ['frankfurt', `there is no AWS region "frankfurt"; write it as in us-east-1 or eu-central-1; ${FORMS}`],
    [
      'us-east-1/team/app',
      `there is no AWS region "us-east-1/team/app"; write it as in us-east-1 or eu-central-1; ${FORMS}`,
    ],
    [
      'us-east-1,eu-west-1',
      `there is no AWS region "us-east-1,eu-west-1"; write it as in us-east-1 or eu-central-1; ${FORMS}`,
    ],
    [
      'eu-west-9',
      `there is no AWS region "eu-west-9"; did you mean eu-west-1?; if it is new, name its registry in "destinations": ACCOUNT.dkr.ecr.eu-west-9.amazonaws.com; ${FORMS}`,
    ],
    [`https://${HOST}/app`, 'write the registry and the repository without "https://"'],
    ['http://localhost:5000/app', 'write the registry and the repository without "http://"'],
    ['oci://ghcr.io/org/app', 'write the registry and the repository without "oci://"'],
    [
      `${HOST}/app:v1`,
      '"app:v1" is no repository: write lower case letters and digits, separated by "/", "-", "_" or ".", and tags in "tags"',
    ],
    [
      'ghcr.io/Org/app',
      '"Org/app" is no repository: write lower case letters and digits, separated by "/", "-", "_" or ".", and tags in "tags"',
    ],
    [`${HOST}:v1`, `"${HOST}:v1" is no host name`],
    ['user@ghcr.io/app', '"user@ghcr.io" is no host name'],
    ['ghcr.io?x/app', '"ghcr.io?x" is no host name'],
    [
      'public.ecr.aws',
      'write the alias of your public registry after the host: public.ecr.aws/ALIAS/team/app',
    ],
  ])('%s', async (text, advice) => {
    expect(await problemsOf(inputs(text))).toEqual([`input "destinations": "${text}": ${advice}`]);
  });

  test.each([
    '123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.com',
    '12345.dkr.ecr.us-east-1.amazonaws.com',
    '123456789012.dkr.ecr.us-east-1.amazonaws.com:443',
    '123456789012.dkr.ecr.us-east-1.amazonaws.com.cn',
    '123456789012.DKR.ECR.us-east-1.amazonaws.com',
    'dkr.ecr.us-east-1.amazonaws.com',
  ])('%s, which only looks like ECR’s', async (host) => {
    expect(await problemsOf(inputs(`${host}/app`))).toEqual([
      `input "destinations": "${host}/app": "${host}" is no registry of ECR's: write 123456789012.dkr.ecr.us-east-1.amazonaws.com`,
    ]);
  });

  test('all of them at once, and nothing of regions, which are not asked for', async () => {
    const problems = await problemsOf({
      repository: 'team/app',
      destinations: 'us-esat-1\neu-west-1\nghcr.io/org/app:v1\nus-east-1 role=me rolle=you\npublic.ecr.aws',
    });
    expect(problems.map((problem) => problem.split(': ').slice(0, 2))).toEqual([
      ['input "destinations"', '"rolle=you"'],
      ['input "destinations"', '"me"'],
      ['input "destinations"', '"us-esat-1"'],
      ['input "destinations"', '"ghcr.io/org/app:v1"'],
      ['input "destinations"', '"public.ecr.aws"'],
    ]);
  });

  test('lines whose quotes never end, once', async () => {
    expect(await problemsOf({ repository: 'team/app', destinations: '"us-east-1' })).toEqual([
      expect.stringMatching(/^input "destinations": ""us-east-1": an entry begins with a double quote/),
    ]);
  });
});

describe('destinations that are the same', () => {
  test('count once, however they are written', async () => {
    const text = `us-east-1\n${HOST}/team/app\nus-east-1\n${HOST}\nghcr.io/a/b\ndocker.io/a/b\nghcr.io/a/b\nindex.docker.io/a/b`;
    const places = await placesOf(text, { 'account-id': ACCOUNT });
    expect(places).toEqual([
      ours('us-east-1', { account: ACCOUNT }),
      { kind: 'other', registry: 'ghcr.io', repository: 'a/b' },
      { kind: 'other', registry: 'registry-1.docker.io', repository: 'a/b' },
    ]);
  });

  test.each([
    ['as FIPS and not', HOST, '123456789012.dkr.ecr-fips.us-east-1.amazonaws.com'],
    ['with a role and without', `${HOST}/team/app`, `${HOST} role=${ROLE}`],
    ['with two roles', `public.ecr.aws/alias role=${ROLE}`, `public.ecr.aws/alias role=${ROLE}2`],
  ])('but are reached in two ways are refused: %s', async (_, one, two) => {
    expect(await problemsOf(inputs(`${one}\n${two}`))).toEqual([
      `input "destinations": "${two}": "${one}" is the same repository, reached in another way: keep one of the two`,
    ]);
  });
});
