import { expect } from '@jest/globals';
import type { Emulator, EmulatorOptions } from '../../emulator/emulator.ts';
import { APIS, emulate } from '../support/emulated.ts';
import { setEnvironment } from '../support/environment.ts';
import { imageOf, indexOf } from '../support/images.ts';
import { type Acted, act, everywhere, type Given, mirror, problemsOf, shown, statusesOf } from './act.ts';
import { clock } from './clock.ts';
import { bothWays, fact } from './fact.ts';

const index = indexOf([imageOf('linux/amd64'), imageOf('linux/arm64')]);
const ACCOUNT = '123456789012';
const PUBLIC: Given = { destinations: 'public.ecr.aws/acme' };

/** An emulator with an ECR Public, where the repository is there. */
async function start(
  options: Partial<EmulatorOptions> = {},
): Promise<{ emulator: Emulator; origin: string }> {
  const emulator = await emulate({ public: { aliases: { [ACCOUNT]: 'acme' } }, ...options });
  const origin = emulator.publicUrl ?? '';
  setEnvironment({ AWS_ENDPOINT_URL_ECR_PUBLIC: origin });
  return { emulator, origin };
}

/** Creates the repository, as somebody who may. */
function create(): Promise<boolean> {
  return APIS.createPublicApi(undefined).createRepository('team/app');
}

/** Mirrors an image into ECR Public, and elsewhere if the inputs say so. */
function publishIn(origin: string, given: Given = {}): Promise<Acted> {
  return mirror(index, { ...PUBLIC, ...given }, { run: { publicEndpoint: origin } });
}

/** What a tag shows to somebody who is not logged in. */
async function shownToAll(origin: string, tag = 'v1'): Promise<string | null> {
  const answer = await fetch(new URL('/token/?service=public.ecr.aws&scope=aws', origin));
  const { token } = JSON.parse(await answer.text());
  const headers = { authorization: `Bearer ${token}` };
  const found = await fetch(new URL(`/v2/acme/team/app/manifests/${tag}`, origin), {
    method: 'HEAD',
    headers,
  });
  return found.headers.get('docker-content-digest');
}

fact('6', 'an image is published there, by its API in us-east-1, wherever the job is', async () => {
  const { emulator, origin } = await start({ regions: ['eu-west-1'] });
  setEnvironment({ AWS_REGION: 'eu-west-1' });
  await create();
  const { states, outcome } = await publishIn(origin);
  expect(states).toEqual(['published']);
  expect(outcome.results[0]?.image).toBe(`${new URL(origin).host}/acme/team/app`);
  expect(await shownToAll(origin)).toBe(index.root.digest);
  expect(statusesOf(emulator, 'GetAuthorizationToken', 'public')).toEqual([200]);
  expect(new Set(emulator.requests.map(({ region }) => region))).toEqual(new Set(['public']));
});

fact('6', 'an image is published there and in private registries, all or none', async () => {
  let isBroken = true;
  const { emulator, origin } = await start({
    fault: ({ region, method, path }) =>
      isBroken && region === 'eu-west-1' && method === 'PUT' && path.endsWith('/manifests/v1')
        ? { status: 403, code: 'DENIED', message: 'not today' }
        : undefined,
  });
  await create();
  const both = { destinations: 'public.ecr.aws/acme\nus-east-1\neu-west-1' };
  expect((await publishIn(origin, both)).states).toEqual(['held back', 'held back', 'failed']);
  expect(await shownToAll(origin)).toBeNull();
  isBroken = false;
  expect((await publishIn(origin, both)).states).toEqual(everywhere('published'));
  expect(await shownToAll(origin)).toBe(index.root.digest);
  expect(await shown(emulator, 'v1', { regions: ['us-east-1', 'eu-west-1'] })).toEqual(
    Array(2).fill(index.root.digest),
  );
});

fact('6', 'a missing repository is missed, or created', async () => {
  const { origin } = await start();
  expect(await problemsOf(publishIn(origin))).toEqual([
    'public.ecr.aws: the repository "team/app" does not exist: create it there, or set "create-repository: true"',
  ]);
  expect((await publishIn(origin, { 'create-repository': 'true' })).states).toEqual(['published']);
  expect(await shownToAll(origin)).toBe(index.root.digest);
});

fact('15', 'a layer that is not seen yet right after its upload is waited for there, too', async () => {
  const { origin } = await start({ behaviour: { layerDelay: 150 } });
  await create();
  expect((await publishIn(origin)).states).toEqual(['published']);
  expect(await shownToAll(origin)).toBe(index.root.digest);
});

fact('6', 'an alias that is not of this account is refused before anything is created', async () => {
  const { emulator, origin } = await start();
  const wrong = { destinations: 'public.ecr.aws/acmee', 'create-repository': 'true' };
  expect(await problemsOf(publishIn(origin, wrong))).toEqual([
    'input "destinations": "public.ecr.aws/acmee/team/app": "acmee" is no alias of this account\'s public registry: write acme',
  ]);
  expect(emulator.requests.filter(({ operation }) => operation === 'CreateRepository')).toEqual([]);
});

for (const missing of ['ecr-public:GetAuthorizationToken', 'sts:GetServiceBearerToken']) {
  fact('6a', `without ${missing} it is told what to allow, and nothing is sent`, async () => {
    const { emulator, origin } = await start({
      principals: {
        AKIDADMIN: { account: ACCOUNT },
        AKIDTEST: {
          account: ACCOUNT,
          policy: [
            { effect: 'Allow', actions: ['*'], resources: ['*'] },
            { effect: 'Deny', actions: [missing], resources: ['*'] },
          ],
        },
      },
    });
    expect(await problemsOf(publishIn(origin, { 'create-repository': 'true' }))).toEqual([
      expect.stringContaining(missing),
    ]);
    expect(emulator.requests.filter(({ path }) => path.startsWith('/v2/'))).toEqual([]);
  });
}

bothWays(
  '6b',
  'notAuthorized',
  'a bearer token is fetched with the login as soon as one is asked for',
  async (_, behaviour) => {
    const { origin } = await start({ behaviour });
    await create();
    const { states, asked, masked } = await publishIn(origin);
    expect(states).toEqual(['published']);
    const ours = asked.filter(({ url }) => url.origin === origin);
    const [logins, rest] = [true, false].map((isLogin) =>
      ours.filter(({ url }) => (url.pathname === '/token/') === isLogin),
    );
    const [login] = masked;
    expect(login).toBeDefined();
    expect(logins?.length).toBeGreaterThan(0);
    for (const { headers, url } of logins ?? []) {
      expect(headers?.authorization).toBe(`Basic ${login}`);
      expect([url.searchParams.get('service'), url.searchParams.get('scope')]).toEqual([
        'public.ecr.aws',
        'aws',
      ]);
    }
    const values = new Set(rest?.map(({ headers }) => headers?.authorization?.split(' ')[0]));
    expect(values).toEqual(new Set([undefined, 'Bearer']));
  },
);

fact('6b', 'a push goes on with other tokens when its own expire in the middle', async () => {
  const { now, forward } = clock();
  let isLate = false;
  const { emulator, origin } = await start({
    now,
    fault: ({ method, path }) => {
      if (!isLate && method === 'PUT' && path.includes('/uploads/')) {
        isLate = true;
        forward(13 * 3_600_000);
      }
      return undefined;
    },
  });
  await create();
  const { states, errors } = await publishIn(origin);
  expect([states, errors]).toEqual([['published'], []]);
  expect(statusesOf(emulator, 'GetAuthorizationToken', 'public')).toEqual([200, 200]);
  expect(await shownToAll(origin)).toBe(index.root.digest);
});

fact('6c', 'an image of it is mirrored by a job that is nobody there', async () => {
  const { emulator, origin } = await start();
  await create();
  await publishIn(origin);
  const before = emulator.requests.length;
  const source = `${new URL(origin).host}/acme/team/app:v1`;
  const { states, asked } = await act({ mode: 'mirror', source, tags: 'v1' });
  expect(states).toEqual(everywhere('published'));
  expect(await shown(emulator)).toEqual(everywhere(index.root.digest));
  const requests = emulator.requests.slice(before);
  expect(requests.filter(({ region, operation }) => region === 'public' && operation)).toEqual([]);
  const toPublic = asked.filter(({ url }) => url.origin === origin);
  expect(toPublic.length).toBeGreaterThan(3);
  for (const { headers } of toPublic) expect(headers?.authorization ?? '').not.toMatch(/^Basic/);
});
