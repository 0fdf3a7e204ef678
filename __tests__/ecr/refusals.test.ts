import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import type { EmulatorOptions } from '../../emulator/emulator.ts';
import { explainIn } from '../../src/ecr/explain.ts';
import { blobsOf, describe as descriptorOf } from '../../src/image/manifest.ts';
import { placesIn } from '../../src/inputs/destinations.ts';
import type { Destination } from '../../src/release/content.ts';
import { Replica } from '../../src/release/replicate.ts';
import { emulate, openEmulated, REPOSITORY } from '../support/emulated.ts';
import { type Image, imageOf, indexOf } from '../support/images.ts';
import { SILENT, sourceOf } from '../support/memory.ts';

const ACCOUNT = '123456789012';
const REGION = 'eu-west-1';
const PLACES = placesIn([REGION], {
  repository: REPOSITORY,
  account: ACCOUNT,
  endpoints: { fips: false, dualStack: false },
});
const SHORT = { first: 1, most: 5, limit: 50 };
const image = imageOf('linux/amd64');

/** What a user reads when this fails in the emulator, which refuses in ECR's words. */
async function messageOf(
  options: Partial<EmulatorOptions>,
  work: (destination: Destination) => Promise<unknown>,
  registry?: string,
): Promise<string> {
  const emulator = await emulate({ accounts: [ACCOUNT], ...options });
  const registryEndpoint = registry && emulator.url(registry);
  try {
    const [destination] = await openEmulated({ places: PLACES, registryEndpoint, patience: SHORT });
    if (destination) await work(destination);
  } catch (error) {
    if (error instanceof Error && error.name === 'Problems') return error.message;
    return explainIn(PLACES)(error, REGION);
  }
  return 'nothing failed';
}

const push =
  (pushed: Image, ...tags: string[]) =>
  async (destination: Destination) => {
    await new Replica(destination, sourceOf(pushed), { uploads: 2, observer: SILENT }).copy(
      descriptorOf(pushed.root),
    );
    for (const tag of tags) await destination.writeManifest(tag, pushed.root);
  };

describe('what the emulator refuses as ECR does is understood:', () => {
  test.each<[string, Partial<EmulatorOptions>, (destination: Destination) => Promise<unknown>, RegExp]>([
    [
      'a key that is not known',
      { principals: {} },
      push(image),
      /^eu-west-1: team\/app: DescribeRepositories at \S+: UnrecognizedClientException: .*check the access key, that the account has enabled eu-west-1/,
    ],
    [
      'a key of another partition',
      { principals: { AKIDTEST: { account: ACCOUNT, partition: 'aws-cn' } } },
      push(image),
      /credentials are of the partition aws and/,
    ],
    [
      'more tags than an image may have',
      { behaviour: { maximumTags: 1 } },
      push(image, 'one', 'two'),
      /^eu-west-1: team\/app: PUT .*"Tags per image"/,
    ],
    ['a layer that is too large', { behaviour: { maximumLayer: 1 } }, push(image), /"Maximum layer size"/],
    [
      'a manifest with a field that ECR does not know, where nothing looked at it before',
      {},
      (destination) =>
        push(imageOf('linux/amd64', { fields: { 'x-unknown': 1 } }))({ ...destination, refusals: () => [] }),
      /rebuild the image with a current builder/,
    ],
    [
      'an index whose image is not there',
      {},
      async (destination) => {
        const { root } = indexOf([image]);
        await destination.writeManifest(root.digest, root);
      },
      /^eu-west-1: team\/app: PUT .*run the build jobs again/,
    ],
    [
      'an image whose layers are not there',
      {},
      (destination) => destination.writeManifest(image.root.digest, image.root),
      /ECR does not see layers/,
    ],
    [
      'bytes that are not those of the digest',
      {},
      async (destination) => {
        const [blob] = blobsOf(image.root);
        if (!blob) throw new Error('the image has blobs');
        const wrong = Buffer.alloc(blob.size);
        await destination.writeBlob(blob, async () => Readable.from([wrong], { objectMode: false }));
      },
      /changes or cuts the bytes/,
    ],
  ])('%s', async (_, options, work, words) => {
    expect(await messageOf(options, work)).toMatch(words);
  });

  test('a token for another region', async () => {
    expect(await messageOf({}, push(image), 'us-east-1')).toMatch(
      /^eu-west-1: team\/app: .*let "registry-endpoint", or AWS_ENDPOINT_URL_ECR, lead eu-west-1 to its own registry/,
    );
  });

  test('a tag that is immutable, in both of its wordings', async () => {
    for (const immutableWords of ['repository', 'tag'] as const) {
      const emulator = await emulate({ repositories: [], behaviour: { immutableWords } });
      emulator.createRepository(REPOSITORY, { imageTagMutability: 'IMMUTABLE' });
      const [destination] = await openEmulated({ places: PLACES });
      if (!destination) throw new Error('one region');
      await push(image, 'v1')(destination);
      const error = await push(
        imageOf('linux/arm64'),
        'v1',
      )(destination).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(explainIn(PLACES)(error, REGION)).toMatch(/the tag is immutable and shows another image/);
    }
  });
});
