import { digestOf } from '../../../src/image/digest.ts';
import { indexOf } from '../support.ts';
import { amd64, arm64, testCases } from './cases.ts';

const unknown = digestOf(Buffer.from('unknown'));
testCases([
  {
    title: 'a push to a repository that is not there',
    act: ({ pushManifest }) => pushManifest('none/such', 'v1', amd64),
    refused: [
      404,
      'NAME_UNKNOWN',
      "The repository with name 'none/such' does not exist in the registry with id '123456789012'",
    ],
  },
  {
    title: 'a push to a repository that is not there, where a template creates it',
    behaviour: { createOnPush: true },
    act: ({ pushBlob }) => pushBlob('none/such', amd64.layer),
    taken: 201,
  },
  {
    title: 'an index whose child is not there',
    act: async (registry) => {
      await registry.pushImage('app', amd64);
      return registry.pushManifest('app', 'v1', indexOf(amd64, arm64));
    },
    refused: [
      404,
      'MANIFEST_BLOB_UNKNOWN',
      `Images with digests '[${arm64.digest}]' required for pushing image into repository with name 'app' in the registry with id '123456789012' do not exist`,
    ],
  },
  {
    title: 'an image whose layer is not there',
    act: async (registry) => {
      await registry.pushBlob('app', amd64.config);
      return registry.pushManifest('app', 'v1', amd64);
    },
    refused: [
      404,
      'BLOB_UPLOAD_UNKNOWN',
      `Layers with digests '[${digestOf(amd64.layer)}]' required for pushing image into repository with name 'app' in the registry with id '123456789012' do not exist`,
    ],
  },
  {
    title: 'an image whose layers are not seen yet',
    behaviour: { layerDelay: 60_000 },
    act: async (registry) => {
      for (const blob of [amd64.config, amd64.layer]) await registry.pushBlob('app', blob);
      return registry.pushManifest('app', 'v1', amd64);
    },
    refused: [404, 'BLOB_UPLOAD_UNKNOWN'],
  },
  {
    title: 'an empty blob',
    act: ({ pushBlob }) => pushBlob('app', Buffer.alloc(0)),
    refused: [400, 'BLOB_UPLOAD_INVALID'],
  },
  {
    title: 'a blob of another digest',
    act: async ({ call }) => {
      const started = await call('POST', '/v2/app/blobs/uploads/');
      return call('PUT', `${started.headers.get('location')}?digest=${unknown}`, { body: 'x' });
    },
    refused: [
      400,
      'BLOB_UPLOAD_INVALID',
      'None of the provided layer digests match the calculated layer digest',
    ],
  },
  {
    title: 'a blob over the limit',
    behaviour: { maximumLayer: 4 },
    act: ({ pushBlob }) => pushBlob('app', Buffer.from('12345')),
    refused: [405, 'UNSUPPORTED'],
  },
  {
    title: 'a blob in chunks under 5 MiB',
    act: async ({ call }) => {
      const location = (await call('POST', '/v2/app/blobs/uploads/')).headers.get('location') ?? '';
      for (const body of ['ab', 'cd']) await call('PATCH', location, { body });
      return call('PUT', `${location}?digest=${digestOf(Buffer.from('abcd'))}`);
    },
    refused: [400, 'BLOB_UPLOAD_INVALID', 'Layer parts must be at least 5 MiB in size'],
  },
  {
    title: 'the state of an upload',
    act: async ({ call }) => {
      const started = await call('POST', '/v2/app/blobs/uploads/');
      return call('GET', started.headers.get('location') ?? '');
    },
    refused: [404, 'BLOB_UPLOAD_UNKNOWN'],
  },
  {
    title: 'more than a thousand tags a page',
    act: ({ call }) => call('GET', '/v2/app/tags/list?n=1001'),
    refused: [405, 'UNSUPPORTED'],
  },
  {
    title: 'a cursor that ECR did not give',
    act: ({ call }) => call('GET', '/v2/app/tags/list?last=v1'),
    refused: [405, 'UNSUPPORTED'],
  },
  {
    title: 'the removal of an image that an index names',
    act: async (registry) => {
      await registry.pushImage('app', amd64);
      await registry.pushManifest('app', 'v1', indexOf(amd64));
      return registry.call('DELETE', `/v2/app/manifests/${amd64.digest}`);
    },
    refused: [405, 'UNSUPPORTED'],
  },
]);
