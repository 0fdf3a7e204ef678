import { digestOf } from '../../../src/image/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../../src/image/mediaTypes.ts';
import { descriptorOf, imageOf, manifestOf } from '../support.ts';
import { amd64, type Case, testCases } from './cases.ts';

const unknown = digestOf(Buffer.from('unknown'));
const bad = "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'";
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

testCases([
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
]);
