import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { digestOf } from '../../src/image/digest.ts';
import { blobsOf, describe as descriptorOf } from '../../src/image/manifest.ts';
import { placesIn } from '../../src/inputs/destinations.ts';
import { Problems } from '../../src/problems.ts';
import type { Destination } from '../../src/release/content.ts';
import { Replica } from '../../src/release/replicate.ts';
import { APIS, countOf, emulate, openEmulated, REGIONS, REPOSITORY } from '../support/emulated.ts';
import { NO_AWS, setEnvironment } from '../support/environment.ts';
import { imageOf, utf8 } from '../support/images.ts';
import { SILENT, sourceOf } from '../support/memory.ts';

const image = imageOf('linux/amd64');

/** What is wrong with opening, as the user is told. */
async function problemsOf(opening: Promise<unknown>): Promise<readonly string[]> {
  const error = await opening.then(
    () => new Error('nothing was wrong'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof Problems)) throw error;
  return error.problems;
}

describe('opening the repository in every region', () => {
  test('gives one destination a region, each at its own address, and pushes nothing', async () => {
    const emulator = await emulate();
    const masked: string[] = [];
    const destinations = await openEmulated({ mask: (secret) => masked.push(secret) });
    expect(destinations.map(({ name }) => name)).toEqual(REGIONS);
    expect(destinations.map(({ image: where }) => where)).toEqual(
      REGIONS.map((region) => `${new URL(emulator.url(region)).host}/${REPOSITORY}`),
    );
    expect(new Set(masked).size).toBe(3);
    expect(emulator.requests.every(({ operation }) => operation !== undefined)).toBe(true);
  });

  test('tells of each as soon as it is open, though another cannot be opened', async () => {
    const emulator = await emulate({ repositories: [] });
    emulator.createRepository(REPOSITORY, {}, ['eu-west-1']);
    const told = new Map<string, number>();
    const opened = ({ name }: Destination, position: number) => void told.set(name, position);
    await expect(openEmulated({ opened })).rejects.toThrow(Problems);
    expect([...told]).toEqual([['eu-west-1', REGIONS.indexOf('eu-west-1')]]);
  });

  test('tells all regions that lack the repository at once', async () => {
    const emulator = await emulate({ repositories: [] });
    emulator.createRepository(REPOSITORY, {}, ['eu-west-1']);
    expect(await problemsOf(openEmulated())).toEqual([
      'us-east-1: the repository "team/app" does not exist: create it there, or set "create-repository: true"',
      'sa-east-1: the repository "team/app" does not exist: create it there, or set "create-repository: true"',
    ]);
  });

  test('creates what is missing, and only that, when it is asked to', async () => {
    const emulator = await emulate({ repositories: [] });
    emulator.createRepository(REPOSITORY, {}, ['eu-west-1']);
    await openEmulated({ createRepository: true });
    const created = emulator.requests.filter(({ operation }) => operation === 'CreateRepository');
    expect(created.map(({ region, status }) => [region, status]).toSorted()).toEqual([
      ['sa-east-1', 200],
      ['us-east-1', 200],
    ]);
    await expect(openEmulated()).resolves.toHaveLength(3);
  });

  test('does not mind that another job creates the repository at the same time', async () => {
    await emulate({ repositories: [] });
    const both = [openEmulated({ createRepository: true }), openEmulated({ createRepository: true })];
    expect(await Promise.all(both)).toHaveLength(2);
  });

  test('refuses one repository that is named in two ways', async () => {
    await emulate();
    const [place] = placesIn(['us-east-1'], {
      repository: REPOSITORY,
      account: undefined,
      endpoints: { fips: false, dualStack: false },
    });
    if (place?.kind !== 'private') throw new Error('one region');
    const places = [place, { ...place, account: '123456789012' }];
    expect(await problemsOf(openEmulated({ places }))).toEqual([
      expect.stringMatching(
        /^input "destinations": us-east-1 and 123456789012\/us-east-1 are one repository, .*\/team\/app: name it once$/,
      ),
    ]);
  });

  test('goes on where the role may push but not look', async () => {
    await emulate({
      fault: ({ operation }) =>
        operation === 'DescribeRepositories'
          ? { status: 400, code: 'AccessDeniedException', message: 'not authorized' }
          : undefined,
    });
    await expect(openEmulated()).resolves.toHaveLength(3);
    const problems = await problemsOf(openEmulated({ createRepository: true }));
    expect(problems).toHaveLength(3);
    expect(problems[0]).toMatch(
      /^us-east-1: team\/app: DescribeRepositories at \S+: AccessDeniedException: not authorized \(allow ecr:DescribeRepositories on .* in the policy of the role/,
    );
  });

  test('tells once that there are no credentials, and what to do', async () => {
    const emulator = await emulate();
    setEnvironment({ ...NO_AWS, AWS_ENDPOINT_URL_ECR: emulator.endpoint });
    expect(await problemsOf(openEmulated())).toEqual([
      expect.stringMatching(/^no AWS credentials were found: give the job "permissions: id-token: write"/),
    ]);
  });
});

describe("the registries' own address", () => {
  test('is filled into the template with account and region', async () => {
    const emulator = await emulate();
    const { port } = new URL(emulator.endpoint);
    const registryEndpoint = `http://{account}.dkr.ecr.{region}.localhost:${port}`;
    const destinations = await openEmulated({ registryEndpoint, account: '123456789012' });
    expect(destinations[1]?.image).toBe(`123456789012.dkr.ecr.eu-west-1.localhost:${port}/team/app`);
    const [blob] = blobsOf(image.root);
    if (!blob) throw new Error('the image has blobs');
    const content = image.blobs.get(blob.digest) ?? utf8('');
    await destinations[1]?.writeBlob(blob, async () => Readable.from([content], { objectMode: false }));
    expect(await destinations[1]?.statBlob(blob.digest)).toBe(blob.size);
    expect(await destinations[2]?.statBlob(blob.digest)).toBeUndefined();
  });

  test('has the account that the repository belongs to, where nothing else names it', async () => {
    await emulate();
    const [destination] = await openEmulated({ registryEndpoint: 'http://{account}.localhost:1' });
    expect(destination?.image).toBe('123456789012.localhost:1/team/app');
  });

  test('cannot be filled when the account is not known', async () => {
    await emulate({ repositories: [] });
    const opening = openEmulated({
      registryEndpoint: 'http://{account}.localhost:1',
      createRepository: true,
    });
    expect(await problemsOf(opening)).toEqual([
      'input "registry-endpoint" has {account}, but the account is not known: set "account-id"',
    ]);
  });

  test("is AWS's when nothing is overridden, whatever the API names", async () => {
    await emulate({ accounts: ['210987654321'] });
    const [destination] = await openEmulated({
      regions: ['eu-west-1'],
      apiOverridden: false,
      account: '210987654321',
    });
    expect(destination?.image).toBe('210987654321.dkr.ecr.eu-west-1.amazonaws.com/team/app');
  });

  test("is that of the account that was asked for, also where an overridden API names the caller's", async () => {
    const callers = 'https://123456789012.dkr.ecr.eu-west-1.vpce.example.com';
    await emulate({ accounts: ['210987654321'] });
    const destinations = await openEmulated({
      regions: ['eu-west-1'],
      account: '210987654321',
      createApi(access) {
        const authorize = async () => ({
          token: 'token',
          expiresAt: Date.now() + 1e9,
          proxyEndpoint: callers,
        });
        return { ...APIS.createApi(access), authorize };
      },
    });
    expect(destinations[0]?.image).toBe('210987654321.dkr.ecr.eu-west-1.vpce.example.com/team/app');
  });
});

describe('a destination in ECR', () => {
  test('asks for a hundred layers in one call', async () => {
    const emulator = await emulate();
    const [destination] = await openEmulated({ regions: ['us-east-1'] });
    const digests = Array.from({ length: 150 }, (_, position) => digestOf(utf8(`layer ${position}`)));
    const sizes = await Promise.all(digests.map((digest) => destination?.statBlob(digest)));
    expect(sizes.every((size) => size === undefined)).toBe(true);
    expect(countOf(emulator.requests, 'BatchCheckLayerAvailability')).toBe(2);
    expect(countOf(emulator.requests, 'HEAD blobs')).toBe(0);
  });

  test.each(['layers', 'failures'] as const)(
    'knows what is missing when ECR tells it under %s',
    async (form) => {
      await emulate({ behaviour: { absentLayers: form } });
      const [destination] = await openEmulated({ regions: ['us-east-1'] });
      if (!destination) throw new Error('one region');
      await new Replica(destination, sourceOf(image), { uploads: 2, observer: SILENT }).copy(
        descriptorOf(image.root),
      );
      const sizes = blobsOf(image.root).map(({ digest }) => destination.statBlob(digest));
      expect(await Promise.all(sizes)).toEqual(blobsOf(image.root).map(({ size }) => size));
      expect(await destination.statBlob(digestOf(utf8('absent')))).toBeUndefined();
    },
  );

  test('asks the registry itself where the API does not answer', async () => {
    const emulator = await emulate({
      fault: ({ operation }) =>
        operation === 'BatchCheckLayerAvailability'
          ? { status: 400, code: 'AccessDeniedException', message: 'no' }
          : undefined,
    });
    const [destination] = await openEmulated({ regions: ['us-east-1'] });
    expect(await destination?.statBlob(digestOf(utf8('absent')))).toBeUndefined();
    expect(countOf(emulator.requests, 'HEAD blobs')).toBe(1);
  });

  test('takes a tag away and leaves the image', async () => {
    await emulate();
    const [destination] = await openEmulated({ regions: ['us-east-1'] });
    if (!destination) throw new Error('one region');
    await new Replica(destination, sourceOf(image), { uploads: 2, observer: SILENT }).copy(
      descriptorOf(image.root),
    );
    await destination.writeManifest('one', image.root);
    await destination.writeManifest('two', image.root);
    await destination.deleteTag('one');
    await destination.deleteTag('never-there');
    expect(await destination.tagged('one')).toBeUndefined();
    expect((await destination.tagged('two'))?.digest).toBe(image.root.digest);
  });
});
