import { digestOf } from '../../../src/image/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../../src/image/mediaTypes.ts';
import { descriptorOf, imageOf, indexOf, manifestOf, type TestImage } from '../support.ts';
import { amd64, arm64, type Case, testCases } from './cases.ts';

const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const empty = Buffer.alloc(0);
const inner = indexOf(amd64);
const outer = indexOf(inner);
const invalid = (constraint: string) =>
  `Invalid parameter at 'ImageManifest' failed to satisfy constraint: '${constraint}'`;

/** Pushes the blobs of an image, and then its manifest, whatever that says of them. */
function pushAs(image: TestImage, ...blobs: readonly Buffer[]): Case['act'] {
  return async ({ pushBlob, pushManifest }) => {
    for (const blob of [image.config, image.layer, ...blobs]) await pushBlob('app', blob);
    return pushManifest('app', 'v1', image);
  };
}

/** An image whose one layer tells this size. */
function withLayerOf(size: number, content = amd64.layer): TestImage {
  return imageOf('amd64', { layers: [{ ...descriptorOf(content, LAYER), size }] });
}

const pushNested: Case['act'] = async (registry) => {
  await registry.pushImage('app', amd64);
  await registry.pushManifest('app', inner.digest, inner);
  return registry.pushManifest('app', 'v1', outer);
};

const pushIndexAtOnce: Case['act'] = async (registry) => {
  await registry.pushImage('app', amd64);
  return registry.pushManifest('app', 'v1', inner);
};

const pushWithoutLayer: Case['act'] = async ({ pushBlob, pushManifest }) => {
  await pushBlob('app', amd64.config);
  return pushManifest('app', 'v1', amd64);
};

const nestedRefusal = invalid(`an index cannot refer to another one: ${inner.digest}`);
const LIMIT = 52_000 * 1024 * 1024;

testCases([
  {
    title: 'an index among the children of an index',
    act: pushNested,
    refused: [405, 'UNSUPPORTED', nestedRefusal],
  },
  {
    title: 'an index that is called an image among the children of an index',
    act: async (registry) => {
      await registry.pushImage('app', amd64);
      await registry.pushManifest('app', inner.digest, inner);
      const child = descriptorOf(Buffer.from(inner.text), OCI_MANIFEST);
      const body = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [child] };
      return registry.pushManifest('app', 'v1', manifestOf(body, OCI_INDEX));
    },
    refused: [405, 'UNSUPPORTED', nestedRefusal],
  },
  {
    title: 'an index among the children of an index, where that is accepted',
    behaviour: { nestedIndexes: 'accepted' },
    act: pushNested,
    taken: 201,
  },
  {
    title: 'an index among the children of an index that is not there, where indexes are accepted',
    behaviour: { nestedIndexes: 'accepted' },
    act: ({ pushManifest }) => pushManifest('app', 'v1', outer),
    refused: [404, 'MANIFEST_BLOB_UNKNOWN'],
  },
  {
    title: 'an image with an empty layer',
    act: pushAs(imageOf('amd64', { layers: [descriptorOf(empty, LAYER)] })),
    refused: [405, 'UNSUPPORTED', invalid(`${digestOf(empty)} is empty`)],
  },
  {
    title: 'an image with an empty config',
    act: pushAs(imageOf('amd64', { config: descriptorOf(empty, 'application/x') })),
    refused: [405, 'UNSUPPORTED', invalid(`${digestOf(empty)} is empty`)],
  },
  {
    title: 'an image with an empty layer, where that is accepted',
    behaviour: { emptyBlobs: 'accepted' },
    act: pushAs(imageOf('amd64', { layers: [descriptorOf(empty, LAYER)] }), empty),
    taken: 201,
  },
  {
    title: 'an empty blob, where that is accepted',
    behaviour: { emptyBlobs: 'accepted' },
    act: ({ pushBlob }) => pushBlob('app', empty),
    taken: 201,
  },
  {
    title: 'an image with a layer over the limit',
    act: pushAs(withLayerOf(LIMIT + 1)),
    refused: [405, 'UNSUPPORTED', invalid(`${digestOf(amd64.layer)} exceeds the limit of 54525952000 bytes`)],
  },
  { title: 'an image with a layer up to the limit', act: pushAs(withLayerOf(LIMIT)), taken: 201 },
  { title: 'an image with a layer of another size', act: pushAs(withLayerOf(7)), taken: 201 },
  {
    title: 'an image with a layer of another size, where sizes are checked',
    behaviour: { checkSizes: true },
    act: pushAs(withLayerOf(7)),
    refused: [405, 'UNSUPPORTED', invalid(`${digestOf(amd64.layer)} has ${amd64.layer.length} bytes, not 7`)],
  },
  {
    title: 'an image with its true sizes, where sizes are checked',
    behaviour: { checkSizes: true },
    act: pushAs(amd64),
    taken: 201,
  },
  {
    title: 'an image with a config and layers of types that nobody knows',
    act: pushAs(
      imageOf('amd64', {
        config: descriptorOf(amd64.config, 'application/vnd.acme.config.v7+json'),
        layers: [descriptorOf(amd64.layer, 'application/vnd.acme.rocket')],
      }),
    ),
    taken: 201,
  },
  {
    title: 'an index whose child is not seen yet',
    behaviour: { manifestDelay: 60_000 },
    act: pushIndexAtOnce,
    refused: [404, 'MANIFEST_BLOB_UNKNOWN'],
  },
  {
    title: 'an index whose child is not there, where that has another status',
    behaviour: { missingChild: 400 },
    act: ({ pushManifest }) => pushManifest('app', 'v1', indexOf(arm64)),
    refused: [
      400,
      'MANIFEST_BLOB_UNKNOWN',
      `Images with digests '[${arm64.digest}]' required for pushing image into repository with name 'app' in the registry with id '123456789012' do not exist`,
    ],
  },
  {
    title: 'an image whose layer is not there, where that has another code',
    behaviour: { missingLayer: 'MANIFEST_BLOB_UNKNOWN' },
    act: pushWithoutLayer,
    refused: [
      400,
      'MANIFEST_BLOB_UNKNOWN',
      `Layers with digests '[${digestOf(amd64.layer)}]' required for pushing image into repository with name 'app' in the registry with id '123456789012' do not exist`,
    ],
  },
  {
    title: 'a manifest with an unknown field, where any are known',
    behaviour: { manifestFields: 'any' },
    act: pushAs(imageOf('amd64', { extra: 1 })),
    taken: 201,
  },
]);
