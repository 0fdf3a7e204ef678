import { expect } from '@jest/globals';
import { openDestinations } from '../../src/ecr/destinations.ts';
import type { EcrCollaborators } from '../../src/ecr/target.ts';
import { parseInputs } from '../../src/inputs/inputs.ts';
import { withDefaults } from '../main/inputs.ts';
import { APIS, emulate, REGIONS } from '../support/emulated.ts';
import { NO_AWS, setEnvironment } from '../support/environment.ts';
import { imageOf } from '../support/images.ts';
import { servicesWith } from '../support/services.ts';
import { act, everywhere, type Given, land, mirror, problemsOf, statusesOf } from './act.ts';
import { bothWays, fact } from './fact.ts';

const ACCOUNT = '123456789012';
const image = imageOf('linux/amd64');

/** A region of each partition, the domains of its registries and of its API, and those of both that know IPv6 too. */
const PARTITIONS = [
  ['us-east-1', 'amazonaws.com', 'on.aws', 'api.aws'],
  ['eu-central-1', 'amazonaws.com', 'on.aws', 'api.aws'],
  ['us-gov-west-1', 'amazonaws.com', 'on.aws', 'api.aws'],
  ['cn-north-1', 'amazonaws.com.cn', 'on.amazonwebservices.com.cn', 'api.amazonwebservices.com.cn'],
  ['eusc-de-east-1', 'amazonaws.eu'],
  ['us-iso-east-1', 'c2s.ic.gov'],
  ['us-isob-east-1', 'sc2s.sgov.gov'],
  ['eu-isoe-west-1', 'cloud.adc-e.uk'],
  ['us-isof-south-1', 'csp.hci.ic.gov'],
] as const;

/** The kinds of hosts, by the inputs that ask for them. */
const KINDS = [
  { fips: false, dualStack: false },
  { fips: true, dualStack: false },
  { fips: false, dualStack: true },
  { fips: true, dualStack: true },
] as const;

interface Host {
  readonly region: string;
  readonly fips: boolean;
  readonly dualStack: boolean;
  readonly host: string;
}

/** All hosts that a registry of the account has. */
const HOSTS: readonly Host[] = PARTITIONS.flatMap(([region, suffix, dualStackSuffix]) =>
  KINDS.flatMap(({ fips, dualStack }): Host[] => {
    const service = fips ? 'ecr-fips' : 'ecr';
    if (!dualStack)
      return [{ region, fips, dualStack, host: `${ACCOUNT}.dkr.${service}.${region}.${suffix}` }];
    if (!dualStackSuffix) return [];
    return [{ region, fips, dualStack, host: `${ACCOUNT}.dkr-${service}.${region}.${dualStackSuffix}` }];
  }),
);

/** The API at the emulator: the SDK takes no other address for it together with FIPS or dual stack. */
const PLAIN_API: Pick<EcrCollaborators, 'createApi'> = {
  createApi: (access) => APIS.createApi({ ...access, fips: false, dualStack: false }),
};

/** Where the action would push to, as it stands in results: nothing leads it elsewhere than to AWS. */
async function imagesFor(given: Given): Promise<string[]> {
  const values = await withDefaults({ repository: 'team/app', ...given });
  const parsed = await parseInputs((name) => values.get(name) ?? '', {});
  if (!('access' in parsed)) throw new Error('this is a plan');
  const target = { ...parsed.inputs.target, apiOverridden: false, publicEndpoint: undefined };
  const { destinations } = await openDestinations(target, { ...(await servicesWith()), ...PLAIN_API });
  return destinations.map((destination) => destination.image);
}

for (const { fips, dualStack } of KINDS) {
  const inputs = { 'use-fips-endpoint': String(fips), 'use-dualstack-endpoint': String(dualStack) };
  const hosts = HOSTS.filter((each) => each.fips === fips && each.dualStack === dualStack);
  const regions = hosts.map(({ region }) => region);

  fact('5', `hosts are destinations as they are, such as ${hosts[0]?.host}`, async () => {
    await emulate({ regions });
    const destinations = hosts.map(({ host }) => host).join('\n');
    expect(await imagesFor({ destinations })).toEqual(hosts.map(({ host }) => `${host}/team/app`));
    expect(hosts).toHaveLength(dualStack ? 4 : 9);
  });

  fact('5', `regions have the hosts that are asked for, with ${JSON.stringify(inputs)}`, async () => {
    await emulate({ regions });
    const images = await imagesFor({ regions: regions.join(), ...inputs });
    expect(images).toEqual(hosts.map(({ host }) => `${host}/team/app`));
  });

  fact('5a', `the API is asked at its own host of that kind, with ${JSON.stringify(inputs)}`, async () => {
    setEnvironment({ ...NO_AWS, AWS_ACCESS_KEY_ID: 'AKIDTEST', AWS_SECRET_ACCESS_KEY: 'secret' });
    for (const [region, suffix, , apiSuffix] of PARTITIONS) {
      if (dualStack && !apiSuffix) continue;
      // What FIPS is called alone is the SDK's own business.
      if (fips && !dualStack) {
        expect(await apiHost(region, { fips, dualStack })).toMatch(
          new RegExp(`\\becr-fips\\.${region}\\.${suffix}$`),
        );
      } else {
        const plain = `api.ecr.${region}.${suffix}`;
        const service = fips ? 'ecr-fips' : 'ecr';
        const host = dualStack ? `${service}.${region}.${apiSuffix}` : plain;
        expect(await apiHost(region, { fips, dualStack })).toBe(host);
      }
    }
  });
}

/** Where the SDK would send a call to. */
async function apiHost(region: string, kind: { fips: boolean; dualStack: boolean }): Promise<string> {
  const api = APIS.createApi({ region, role: undefined, ...kind });
  const { promise, resolve } = Promise.withResolvers<string>();
  api.client.middlewareStack.add(
    () => async (args) => {
      const { request } = args;
      const isNamed = typeof request === 'object' && request !== null && 'hostname' in request;
      resolve(isNamed ? String(request.hostname) : 'nowhere');
      throw new Error('it is enough to know where it would go');
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  await expect(api.authorize()).rejects.toThrow('enough');
  return promise;
}

for (const { region, host } of HOSTS) {
  fact('5', `an image at ${host} is read with the token of its registry`, async () => {
    const emulator = await emulate({ regions: [region], repositories: ['team/app', 'team/base'] });
    await land([image], { repository: 'team/base', regions: region });
    const before = emulator.requests.length;
    const source = `${host}/team/base@${image.root.digest}`;
    const given = { mode: 'mirror', source, regions: region, tags: 'v1' };
    const { states } = await act(given, { services: () => PLAIN_API });
    expect(states).toEqual(['published']);
    // The region's token is asked for as what the host names: it is another one where that is another endpoint.
    const requests = emulator.requests.slice(before);
    expect(new Set(statusesOf({ requests }, 'GetAuthorizationToken', region))).toEqual(new Set([200]));
  });
}

for (const host of [
  `${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com.evil.example`,
  `${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.eu`,
  `${ACCOUNT}.dkr-ecr.us-east-1.amazonaws.com`,
  `1234.dkr.ecr.us-east-1.amazonaws.com`,
]) {
  fact('5', `${host} is no registry of ECR, and gets no token of it`, async () => {
    const emulator = await emulate();
    const asked: string[] = [];
    const problems = await problemsOf(
      act(
        { mode: 'mirror', source: `${host}/team/base:1`, tags: 'v1' },
        {
          services: ({ transport }) => ({
            transport: {
              ...transport,
              send: async ({ url, headers }) => {
                asked.push(`${url.host} ${headers?.authorization}`);
                throw new Error('there is no such host');
              },
            },
            logins: async () => undefined,
          }),
        },
      ),
    );
    expect(problems).toEqual([expect.stringContaining(`"source": ${host}/team/base:1 cannot be read`)]);
    expect(asked).toEqual([`${host} undefined`]);
    expect(statusesOf(emulator, 'PUT manifests')).toEqual([]);
  });
}

for (const { fips, dualStack } of KINDS) {
  const inputs = { 'use-fips-endpoint': String(fips), 'use-dualstack-endpoint': String(dualStack) };

  bothWays(
    '4',
    'addresses',
    `what the API names does not decide with ${JSON.stringify(inputs)}`,
    async (_, behaviour) => {
      await emulate({ behaviour });
      const service = fips ? 'ecr-fips' : 'ecr';
      const hostOf = (region: string) =>
        dualStack
          ? `${ACCOUNT}.dkr-${service}.${region}.on.aws`
          : `${ACCOUNT}.dkr.${service}.${region}.amazonaws.com`;
      const given = { regions: REGIONS.join(), 'account-id': ACCOUNT, ...inputs };
      expect(await imagesFor(given)).toEqual(REGIONS.map((region) => `${hostOf(region)}/team/app`));
    },
  );

  bothWays(
    '4',
    'addresses',
    `"registry-endpoint" decides with ${JSON.stringify(inputs)}`,
    async (_, behaviour) => {
      const emulator = await emulate({ behaviour });
      const { port } = new URL(emulator.endpoint);
      const registry = `http://{account}.dkr.ecr.{region}.localhost:${port}`;
      const { states } = await mirror(
        image,
        { 'registry-endpoint': registry, 'account-id': ACCOUNT, ...inputs },
        { services: () => PLAIN_API },
      );
      expect(states).toEqual(everywhere('published'));
    },
  );
}

bothWays(
  '4',
  'addresses',
  'it decides where AWS_ENDPOINT_URL_ECR leads the API elsewhere',
  async (name, behaviour) => {
    const emulator = await emulate({ behaviour });
    const asked: string[] = [];
    const acting = mirror(
      image,
      {},
      {
        services: ({ transport }) => ({
          transport: {
            ...transport,
            send: (request) => {
              asked.push(request.url.host);
              if (!request.url.host.startsWith('127.')) throw new Error('this is not the test of AWS');
              return transport.send(request);
            },
          },
        }),
      },
    );
    const { states } = await acting;
    const own = REGIONS.map((region) => new URL(emulator.url(region)).host);
    const aws = REGIONS.map((region) => `${ACCOUNT}.dkr.ecr.${region}.amazonaws.com`);
    expect(new Set(asked)).toEqual(new Set([asked[0], ...(name === 'emulator' ? own : aws)]));
    expect(states).toEqual(everywhere(name === 'emulator' ? 'published' : 'failed'));
  },
);
