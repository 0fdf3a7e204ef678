import { describe, expect, test } from '@jest/globals';
import { connectOnce } from '../../src/ecr/connectAhead.ts';
import type { EcrCollaborators, EcrTarget } from '../../src/ecr/target.ts';
import { APIS, emulate, openEmulated, REGIONS } from '../support/emulated.ts';
import { until } from '../support/memory.ts';
import { openTransport } from '../support/server.ts';

const ACCOUNT = '123456789012';
const AWS = (region: string) => `https://${ACCOUNT}.dkr.ecr.${region}.amazonaws.com`;

/** Opens the regions while each of their tokens is held back until it is given; tells whereto connections are opened. */
async function open(varied: Partial<EcrTarget> & { account?: string } = {}) {
  await emulate();
  const tokens = new Map(REGIONS.map((region) => [region, Promise.withResolvers<void>()]));
  const prepared: string[] = [];
  const collaborators: Partial<EcrCollaborators> = {
    transport: { ...openTransport(), prepare: ({ origin }) => prepared.push(origin) },
    createApi(access) {
      const api = APIS.createApi(access);
      return {
        ...api,
        async authorize() {
          await tokens.get(access.region)?.promise;
          const authorization = await api.authorize();
          return varied.apiOverridden === true
            ? authorization
            : { ...authorization, proxyEndpoint: AWS(access.region) };
        },
      };
    },
  };
  const opening = openEmulated({ apiOverridden: false, ...collaborators, ...varied });
  const connected = () => [...new Set(prepared)];
  return {
    connected,
    prepared,
    give: (region: string) => tokens.get(region)?.resolve(),
    async finish() {
      for (const { resolve } of tokens.values()) resolve();
      return opening;
    },
  };
}

describe('connections to the registries are opened', () => {
  test('before any region has given a token, where the account is named', async () => {
    const { connected, finish } = await open({ account: ACCOUNT });
    expect(connected()).toEqual(REGIONS.map(AWS));
    await finish();
  });

  test('in all regions, when the first token tells the account', async () => {
    const { connected, give, finish } = await open();
    expect(connected()).toEqual([]);
    give('eu-west-1');
    await until(() => connected().length === REGIONS.length);
    expect(connected()).toEqual(REGIONS.map(AWS));
    await finish();
  });

  test('at the address that the user gives', async () => {
    const { connected, finish } = await open({ registryEndpoint: 'http://{region}.registry.example:5000' });
    expect(connected()).toEqual(REGIONS.map((region) => `http://${region}.registry.example:5000`));
    await finish();
  });

  test('when each token tells the address, where nothing else does', async () => {
    const { connected, give, finish } = await open({ apiOverridden: true });
    give('eu-west-1');
    await until(() => connected().length === 1);
    await finish();
    expect(connected()).toHaveLength(REGIONS.length);
  });

  test('eight to each of a few registries, and two to each of many', () => {
    const opened = (registries: number) => {
      const prepared: string[] = [];
      const connect = connectOnce({ prepare: ({ origin }) => prepared.push(origin) }, registries);
      connect(undefined);
      connect('https://registry.example');
      return prepared.length;
    };
    expect([1, 4, 5, 8, 16, 40].map(opened)).toEqual([8, 8, 6, 4, 2, 2]);
  });

  test('once a region', async () => {
    const { prepared, finish } = await open({ account: ACCOUNT });
    const count = prepared.length;
    await finish();
    expect(prepared).toHaveLength(count);
  });
});
