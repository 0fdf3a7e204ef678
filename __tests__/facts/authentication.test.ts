import { expect } from '@jest/globals';
import type { EmulatorOptions } from '../../emulator/emulator.ts';
import { APIS, emulate, REGIONS } from '../support/emulated.ts';
import { imageOf, indexOf } from '../support/images.ts';
import { type Around, act, everywhere, kindOf, mirror, shown, statusesOf } from './act.ts';
import { clock } from './clock.ts';
import { bothWays, fact } from './fact.ts';

const index = indexOf([imageOf('linux/amd64'), imageOf('linux/arm64')]);
const PUBLISHED = everywhere('published');
const HOUR = 3_600_000;

/** Does something before the first request of a kind to a region is looked at. */
function before(kind: string, region: string, act: () => void): NonNullable<EmulatorOptions['fault']> {
  let isDone = false;
  return (request) => {
    if (!isDone && request.region === region && kindOf(request) === kind) {
      isDone = true;
      act();
    }
    return undefined;
  };
}

fact('1', 'a region is asked for its token once, and what it gives is a user and a password', async () => {
  const emulator = await emulate();
  const { states, masked } = await mirror(index);
  expect(states).toEqual(PUBLISHED);
  for (const region of REGIONS) expect(statusesOf(emulator, 'GetAuthorizationToken', region)).toEqual([200]);
  const passwords = masked.map((token) => Buffer.from(token, 'base64').toString());
  expect(passwords).toEqual(everywhere(expect.stringMatching(/^AWS:[^:\s]+$/)));
});

for (const [hours, calls] of [
  [11.5, 1],
  [11.9, 2],
] as const) {
  fact('1', `a push that lasts for ${hours} hours asks for ${calls} of them, none too late`, async () => {
    const { now, forward } = clock();
    const fault = before('PUT uploads', 'eu-west-1', () => forward(hours * HOUR));
    const emulator = await emulate({ now, fault });
    expect((await mirror(index)).states).toEqual(PUBLISHED);
    expect(statusesOf(emulator, 'GetAuthorizationToken', 'eu-west-1')).toEqual(Array(calls).fill(200));
    expect(emulator.requests.filter(({ status }) => status === 403 || status === 401)).toEqual([]);
  });
}

fact('1a', 'the API is called in the one form and with the one signature that it takes', async () => {
  const emulator = await emulate({ regions: ['eu-west-1'] });
  const headers: Record<string, string>[] = [];
  const services: Around['services'] = () => ({
    createApi(access) {
      const api = APIS.createApi(access);
      api.client.middlewareStack.add(
        (next) => async (args) => {
          const { request } = args;
          if (isRequest(request)) headers.push(request.headers);
          return next(args);
        },
        { step: 'finalizeRequest', priority: 'low' },
      );
      return api;
    },
  });
  const { states } = await mirror(index, { regions: 'eu-west-1' }, { services });
  expect(states).toEqual(['published']);
  const calls = emulator.requests.filter(({ operation }) => operation !== undefined);
  expect(headers.map((each) => each['x-amz-target']).toSorted()).toEqual(
    calls.map(({ operation }) => `AmazonEC2ContainerRegistry_V20150921.${operation}`).toSorted(),
  );
  for (const each of headers) {
    expect(each['content-type']).toBe('application/x-amz-json-1.1');
    expect(each.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDTEST\/\d{8}\/eu-west-1\/ecr\/aws4_request,/,
    );
  }
});

/** Whether this is a request of the SDK's, whose own type says nothing. */
function isRequest(request: unknown): request is { headers: Record<string, string> } {
  return typeof request === 'object' && request !== null && 'headers' in request;
}

fact('2', 'every request to a registry has the token as it came, and nothing else is asked for', async () => {
  const emulator = await emulate();
  const { asked, masked } = await mirror(index);
  const hosts = new Map(REGIONS.map((region, position) => [new URL(emulator.url(region)).host, position]));
  const ours = asked.filter(({ url }) => hosts.has(url.host));
  expect(ours.length).toBeGreaterThan(30);
  const tokens = new Set(masked.map((token) => `Basic ${token}`));
  for (const { headers, url } of ours) {
    expect(url.pathname).toMatch(/^\/v2\/team\/app\//);
    expect(tokens).toContain(headers?.authorization);
  }
  expect(emulator.requests.filter(({ status }) => status === 401)).toEqual([]);
});

bothWays(
  '2a',
  'notAuthorized',
  'a token that is not taken fails the region, with what to check',
  async (_, behaviour) => {
    const emulator = await emulate({ behaviour });
    const services: Around['services'] = () => ({
      createApi(access) {
        const api = APIS.createApi(access);
        if (access.region !== 'eu-west-1') return api;
        const token = Buffer.from('AWS:wrong').toString('base64');
        return { ...api, authorize: async () => ({ ...(await api.authorize()), token }) };
      },
    });
    const { states, errors } = await mirror(index, {}, { services });
    expect(states).toEqual(['held back', 'failed', 'held back']);
    expect(errors).toEqual([
      expect.stringMatching(
        /^eu-west-1: team\/app: .* answered 401.* \(check that 127\.0\.0\.1:\d+ belongs to the API that gave the token/,
      ),
    ]);
    expect(await shown(emulator)).toEqual(everywhere(null));
  },
);

for (const kind of ['HEAD manifests', 'POST uploads', 'PUT uploads', 'PUT manifests', 'GET manifests']) {
  bothWays(
    '2b',
    'expiredToken',
    `a push goes on with another token when its own expires before ${kind}`,
    async (status, behaviour) => {
      let ahead = 0;
      const fault = before(kind, 'eu-west-1', () => {
        ahead = 13 * HOUR;
      });
      const emulator = await emulate({ behaviour, fault, now: () => Date.now() + ahead });
      const { errors, states } = await mirror(index);
      expect(errors).toEqual([]);
      expect(states).toEqual(PUBLISHED);
      expect(statusesOf(emulator, kind, 'eu-west-1')).toContain(status);
      expect(statusesOf(emulator, 'GetAuthorizationToken', 'eu-west-1')).toEqual([200, 200]);
      expect(await shown(emulator)).toEqual(everywhere(index.root.digest));
    },
  );
}

bothWays(
  '3',
  'foreignToken',
  "a region's token is never taken to another one's registry",
  async (_, behaviour) => {
    const emulator = await emulate({ behaviour });
    expect((await mirror(index)).states).toEqual(PUBLISHED);
    expect(emulator.requests.filter(({ status }) => [400, 401].includes(status))).toEqual([]);
  },
);

bothWays(
  '3',
  'foreignToken',
  'a region that is led to the registry of another says so',
  async (status, behaviour) => {
    const emulator = await emulate({ behaviour });
    const { outcome, errors } = await mirror(index, { 'registry-endpoint': emulator.url('us-east-1') });
    expect(outcome.results.map(({ state }) => state)).toEqual(['held back', 'failed', 'failed']);
    const advice =
      status === 400
        ? 'let "registry-endpoint", or AWS_ENDPOINT_URL_ECR, lead eu-west-1 to its own registry'
        : 'belongs to the API that gave the token: "registry-endpoint", and AWS_ENDPOINT_URL_ECR';
    expect(errors[0]).toContain(advice);
  },
);

fact('3a', 'each region is asked for a token of its own, the source of a mirror among them', async () => {
  const emulator = await emulate({ repositories: ['team/app', 'team/base'] });
  await mirror(index, { repository: 'team/base', regions: 'eu-west-1' });
  const before = emulator.requests.length;
  const source = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/base:v1';
  const registry = `http://{account}.dkr.ecr.{region}.localhost:${new URL(emulator.endpoint).port}`;
  const { states, masked } = await act({
    mode: 'mirror',
    source,
    tags: 'v1',
    'account-id': '123456789012',
    'registry-endpoint': registry,
  });
  expect(states).toEqual(PUBLISHED);
  const requests = emulator.requests.slice(before);
  for (const region of REGIONS)
    expect(statusesOf({ requests }, 'GetAuthorizationToken', region)).toEqual([200]);
  expect(new Set(masked).size).toBe(3);
});
