import { afterEach, describe, expect, test } from '@jest/globals';
import type { Behaviour } from '../../emulator/behaviour.ts';
import { type Emulator, startEmulator } from '../../emulator/emulator.ts';
import type { RepositorySettings } from '../../emulator/state/settings.ts';
import { digestOf } from '../../src/image/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/image/mediaTypes.ts';
import {
  CONFIG_TYPE,
  descriptorOf,
  errorOf,
  imageOf,
  indexOf,
  LAYER_TYPE,
  logIn,
  manifestOf,
  type Registry,
} from './support.ts';

const IMMUTABLE = { imageTagMutability: 'IMMUTABLE' } as const;
const filters = (filter: string) => [{ filterType: 'WILDCARD', filter }] as const;

let emulator: Emulator;

async function start(
  settings: Partial<RepositorySettings>,
  behaviour: Partial<Behaviour>,
): Promise<Registry> {
  emulator = await startEmulator({ regions: ['us-east-1'], behaviour });
  emulator.createRepository('app', settings);
  return logIn(emulator, 'us-east-1');
}

afterEach(() => emulator.close());

const amd64 = imageOf('amd64');
const arm64 = imageOf('arm64');
const unknown = digestOf(Buffer.from('unknown'));
const bad = "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'";
const taken = (tag: string, what = 'tag') =>
  `The image tag '${tag}' already exists in the 'app' repository and cannot be overwritten because the ${what} is immutable.`;

interface Case {
  readonly title: string;
  readonly settings?: Partial<RepositorySettings>;
  readonly behaviour?: Partial<Behaviour>;
  /** Does what is refused, or is not. */
  readonly act: (registry: Registry) => Promise<Response>;
  readonly refused?: readonly [status: number, code: string, message?: string];
  readonly taken?: number;
}

async function pushBoth(registry: Registry, tag: string): Promise<Response> {
  await registry.pushImage('app', amd64, tag);
  await registry.pushImage('app', arm64);
  return registry.pushManifest('app', tag, arm64);
}

/** Pushes an image whose manifest is changed after its blobs were pushed. */
function pushChanged(fields: Readonly<Record<string, unknown>>): Case['act'] {
  return async (registry) => {
    for (const blob of [amd64.config, amd64.layer]) await registry.pushBlob('app', blob);
    return registry.pushManifest('app', 'v1', imageOf('amd64', fields));
  };
}

function pushIndexOf(child: (digest: string) => Readonly<Record<string, unknown>>): Case['act'] {
  return async (registry) => {
    await registry.pushImage('app', amd64);
    const descriptor = { ...descriptorOf(Buffer.from(amd64.text), OCI_MANIFEST), ...child(amd64.digest) };
    const index = manifestOf({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [descriptor] }, OCI_INDEX);
    return registry.pushManifest('app', 'v1', index);
  };
}

const platform = { os: 'linux', architecture: 'amd64' };
const withoutType = { mediaType: undefined };

const CASES: readonly Case[] = [
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
    title: 'another image under a tag of a mutable repository',
    act: (registry) => pushBoth(registry, 'v1'),
    taken: 201,
  },
  {
    title: 'another image under a taken immutable tag',
    settings: IMMUTABLE,
    act: (registry) => pushBoth(registry, 'v1'),
    refused: [400, 'TAG_INVALID', taken('v1')],
  },
  {
    title: 'another image under a taken immutable tag, in the older words',
    settings: IMMUTABLE,
    behaviour: { immutableWords: 'repository' },
    act: (registry) => pushBoth(registry, 'v1'),
    refused: [400, 'TAG_INVALID', taken('v1', 'repository')],
  },
  {
    title: 'the same image under its immutable tag again',
    settings: IMMUTABLE,
    act: async (registry) => {
      await registry.pushImage('app', amd64, 'v1');
      return registry.pushManifest('app', 'v1', amd64);
    },
    refused: [400, 'TAG_INVALID', taken('v1')],
  },
  {
    title: 'the same image under its immutable tag again, where that is accepted',
    settings: IMMUTABLE,
    behaviour: { sameDigestUnderImmutableTag: 'accepted' },
    act: async (registry) => {
      await registry.pushImage('app', amd64, 'v1');
      return registry.pushManifest('app', 'v1', amd64);
    },
    taken: 201,
  },
  {
    title: 'the same image by digest again in an immutable repository',
    settings: IMMUTABLE,
    act: async (registry) => {
      await registry.pushImage('app', amd64, 'v1');
      return registry.pushManifest('app', amd64.digest, amd64);
    },
    taken: 201,
  },
  {
    title: 'a taken tag that a filter excludes from an immutable repository',
    settings: {
      imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters: filters('latest*'),
    },
    act: (registry) => pushBoth(registry, 'latest-arm'),
    taken: 201,
  },
  {
    title: 'a taken tag that no filter excludes from an immutable repository',
    settings: {
      imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters: filters('latest*'),
    },
    act: (registry) => pushBoth(registry, 'not-latest'),
    refused: [400, 'TAG_INVALID', taken('not-latest')],
  },
  {
    title: 'a taken tag that a filter excludes from a mutable repository',
    settings: {
      imageTagMutability: 'MUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters: filters('v*.*'),
    },
    act: (registry) => pushBoth(registry, 'v1.0'),
    refused: [400, 'TAG_INVALID', taken('v1.0')],
  },
  {
    title: 'a taken tag that no filter excludes from a mutable repository',
    settings: {
      imageTagMutability: 'MUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters: filters('v*.*'),
    },
    act: (registry) => pushBoth(registry, 'v1x0'),
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
    title: 'an image with a layer that its publisher keeps',
    act: pushChanged({
      layers: [
        {
          mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
          digest: unknown,
          size: 9,
        },
      ],
    }),
    taken: 201,
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
    title: 'one tag too many on an image',
    behaviour: { maximumTags: 1 },
    act: async (registry) => {
      await registry.pushImage('app', amd64, 'v1');
      return registry.pushManifest('app', 'v2', amd64);
    },
    refused: [405, 'UNSUPPORTED'],
  },
  {
    title: 'a manifest over 4 MiB',
    act: pushChanged({ annotations: { long: 'x'.repeat(4 * 1024 * 1024) } }),
    refused: [413, 'SIZE_INVALID'],
  },
  {
    title: 'a manifest with an unknown field',
    act: pushChanged({ extra: 1 }),
    refused: [405, 'UNSUPPORTED', bad],
  },
  {
    title: 'a manifest of schema version 1',
    act: pushChanged({ schemaVersion: 1 }),
    refused: [405, 'UNSUPPORTED', bad],
  },
  {
    title: 'a manifest whose config has no media type',
    act: pushChanged({ config: { digest: digestOf(amd64.config), size: amd64.config.length } }),
    refused: [405, 'UNSUPPORTED', bad],
  },
  {
    title: 'a manifest whose subject has a platform',
    act: pushChanged({ subject: { ...descriptorOf(Buffer.from('s'), OCI_MANIFEST), platform } }),
    refused: [405, 'UNSUPPORTED', bad],
  },
  {
    title: 'a manifest whose subject is not there',
    act: pushChanged({ subject: descriptorOf(Buffer.from('s'), OCI_MANIFEST) }),
    taken: 201,
  },
  {
    title: 'a manifest whose artifact type has a parameter',
    act: pushChanged({ artifactType: 'application/vnd.dev.sigstore.bundle+json;version=0.2' }),
    refused: [405, 'UNSUPPORTED', bad],
  },
  {
    title: 'a manifest that names no type, but whose request does',
    act: pushChanged(withoutType),
    taken: 201,
  },
  {
    title: 'a manifest that names no type, where one is required',
    behaviour: { requireMediaType: true },
    act: pushChanged(withoutType),
    refused: [405, 'UNSUPPORTED', bad],
  },
  {
    title: 'an index whose platform has features',
    act: pushIndexOf(() => ({ platform: { ...platform, features: ['sse4'] } })),
    refused: [405, 'UNSUPPORTED', bad],
  },
  {
    title: 'an index whose child has no media type',
    act: pushIndexOf(() => withoutType),
    refused: [405, 'UNSUPPORTED', bad],
  },
  {
    title: 'an index with annotations and the platforms of attestations',
    act: pushIndexOf(() => ({
      annotations: { a: 'b' },
      platform: { os: 'unknown', architecture: 'unknown' },
    })),
    taken: 201,
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
];

describe('over /v2/', () => {
  test.each(CASES.filter((each) => each.refused))('$title is refused', async (each) => {
    const registry = await start(each.settings ?? {}, each.behaviour ?? {});
    const error = await errorOf(await each.act(registry));
    expect(error.slice(0, each.refused?.length)).toEqual(each.refused);
  });

  test.each(CASES.filter((each) => each.taken))('$title is taken', async (each) => {
    const registry = await start(each.settings ?? {}, each.behaviour ?? {});
    expect((await each.act(registry)).status).toBe(each.taken);
  });
});

test('the media types that the cases use are those of a plain image', () => {
  expect([CONFIG_TYPE, LAYER_TYPE]).toEqual(expect.arrayContaining([expect.stringContaining('oci.image')]));
});
