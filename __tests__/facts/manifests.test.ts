import { expect } from '@jest/globals';
import type { Behaviour } from '../../emulator/behaviour.ts';
import type { Emulator } from '../../emulator/emulator.ts';
import { describe as descriptorOf } from '../../src/image/manifest.ts';
import { DOCKER_MANIFEST, MANIFEST_TYPES, OCI_INDEX, OCI_MANIFEST } from '../../src/image/mediaTypes.ts';
import { logIn } from '../emulator/support.ts';
import { emulate } from '../support/emulated.ts';
import {
  blobOf,
  type Graph,
  type Image,
  imageOf,
  indexOf,
  manifestOf,
  OCI_LAYER,
  utf8,
} from '../support/images.ts';
import { act, everywhere, mirror, problemsOf, publish, shown, statusesOf } from './act.ts';
import { bothWays, fact } from './fact.ts';

const [amd64, arm64] = [imageOf('linux/amd64'), imageOf('linux/arm64')];
const index = indexOf([amd64, arm64]);
const docker = imageOf('linux/amd64', { docker: true });
const ACCOUNT = '123456789012';
const BASE = 'team/base';

/** Mirrors an image from another repository of ECR's, where it is under `v1`. */
async function mirrorWithin(graph: Graph, behaviour: Partial<Behaviour>) {
  const emulator = await emulate({ behaviour, repositories: ['team/app', BASE] });
  await publish(graph, { repository: BASE, regions: 'us-east-1' });
  const source = `${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/${BASE}:v1`;
  const acted = await act({ mode: 'mirror', source, tags: 'v1' });
  return { emulator, ...acted };
}

bothWays(
  '11',
  'digestOnGet',
  "what is read is known by its bytes' digest, whatever names it",
  async (_, behaviour) => {
    const { emulator, outcome, states } = await mirrorWithin(index, behaviour);
    expect(states).toEqual(everywhere('published'));
    expect(outcome.digest).toBe(index.root.digest);
    expect(await shown(emulator)).toEqual(everywhere(index.root.digest));
  },
);

for (const [family, graph] of [
  ["Docker's image", docker],
  ["Docker's list", indexOf([docker])],
  ["OCI's image", amd64],
  ["OCI's index", index],
] as const) {
  bothWays('13b', 'convertByAccept', `${family} is read by tag as it is`, async (_, behaviour) => {
    const { emulator, outcome, asked } = await mirrorWithin(graph, behaviour);
    expect(outcome.digest).toBe(graph.root.digest);
    expect(await shown(emulator)).toEqual(everywhere(graph.root.digest));
    const reads = asked.filter(({ method, url }) => method !== 'PUT' && url.pathname.includes('/manifests/'));
    expect(reads.length).toBeGreaterThan(5);
    for (const { headers } of reads) {
      for (const type of MANIFEST_TYPES) expect(headers?.accept).toContain(type);
    }
  });

  fact('13a', `${family} is taken byte for byte`, async () => {
    const emulator = await emulate();
    expect((await mirror(graph)).states).toEqual(everywhere('published'));
    const { call } = await logIn(emulator, 'eu-west-1');
    const got = await call('GET', '/v2/team/app/manifests/v1', { headers: { accept: graph.root.mediaType } });
    expect(got.headers.get('content-type')).toBe(graph.root.mediaType);
    expect(Buffer.from(await got.arrayBuffer()).equals(graph.root.bytes)).toBe(true);
  });
}

const signature = imageOf('linux/amd64', {
  layers: ['signed'],
  fields: { artifactType: 'application/vnd.example.signature', subject: descriptorOf(index.root) },
});

fact('13', 'what refers to an image is taken with its subject, and found by it', async () => {
  const emulator = await emulate();
  await mirror(index);
  expect((await mirror(signature, { tags: 'signature' })).states).toEqual(everywhere('published'));
  const { call } = await logIn(emulator, 'sa-east-1');
  const referrers: unknown = await (await call('GET', `/v2/team/app/referrers/${index.root.digest}`)).json();
  expect(referrers).toMatchObject({
    manifests: [{ digest: signature.root.digest, artifactType: 'application/vnd.example.signature' }],
  });
});

bothWays('13c', 'missingSubject', 'what refers to an image is written after it', async (_, behaviour) => {
  const emulator = await emulate({ behaviour });
  await mirror(index, { regions: 'us-east-1' });
  await mirror(signature, { regions: 'us-east-1', tags: 'signature' });
  const source = '123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app:v1';
  const given = { mode: 'mirror', source, regions: 'eu-west-1,sa-east-1', referrers: 'true' };
  expect((await act(given)).states).toEqual(['published', 'published']);
  expect(await shown(emulator, signature.root.digest)).toEqual(everywhere(signature.root.digest));
});

/** What was written anywhere: layers, manifests and tags. */
function writes({ requests }: Emulator): string[] {
  return requests
    .filter(({ method, path, operation }) => !operation && method === 'PUT' && path.startsWith('/v2/'))
    .map(({ path }) => path);
}

/** An image that an index lists like this. */
function listed(image: Image, more: Readonly<Record<string, unknown>>): Graph {
  const fields = { manifests: [amd64.listed, { ...image.listed, ...more }] };
  return indexOf([amd64, image], fields);
}

const { platform } = arm64.listed;
const nameless = (() => {
  const { mediaType: _, ...fields } = JSON.parse(Buffer.from(amd64.root.bytes).toString());
  const root = manifestOf(fields, OCI_MANIFEST);
  return { root, manifests: new Map([[root.digest, root]]), blobs: amd64.blobs };
})();

for (const [what, graph, words] of [
  [
    'platform.features',
    listed(arm64, { platform: { ...platform, features: ['sse4'] } }),
    'manifests[1].platform.features is a field that ECR does not take',
  ],
  [
    'subject.platform',
    imageOf('linux/amd64', { fields: { subject: { ...amd64.listed, platform } } }),
    'subject.platform is a field that ECR does not take: attach this to the image with a tool that leaves it out',
  ],
  [
    'a field of its own',
    imageOf('linux/amd64', { fields: { extra: 1 } }),
    'extra is a field that ECR does not take',
  ],
] as const) {
  bothWays('14', 'manifestFields', `${what} is refused before a layer is sent`, async (fields, behaviour) => {
    const emulator = await emulate({ behaviour });
    // What the registry itself would say: another client is told so at the end.
    const { pushBlob, pushManifest } = await logIn(emulator, 'us-east-1');
    for (const manifest of [...graph.manifests.values()].toReversed()) {
      for (const blob of graph.blobs.values()) await pushBlob('team/app', Buffer.from(blob));
      const { bytes, mediaType, digest } = manifest;
      const text = Buffer.from(bytes).toString();
      const { status } = await pushManifest('team/app', digest, { text, mediaType, digest });
      if (manifest === graph.root) expect(status).toBe(fields === 'known' ? 405 : 201);
    }
    const before = writes(emulator).length;
    const { errors, states } = await mirror(graph, { regions: 'eu-west-1,sa-east-1' });
    expect(states).toEqual(['failed', 'failed']);
    for (const error of errors) expect(error).toContain(words);
    expect(writes(emulator)).toHaveLength(before);
  });
}

bothWays(
  '14a',
  'requireMediaType',
  'a manifest that names no type comes with its type, and is published where that is enough',
  async (required, behaviour) => {
    const emulator = await emulate({ behaviour });
    const { states, errors } = await mirror(nameless);
    expect(states).toEqual(everywhere(required ? 'failed' : 'published'));
    for (const error of errors) {
      expect(error).toMatch(
        /answered 405: UNSUPPORTED: .*\(rebuild the image with a current builder: .* without a "mediaType"\)/,
      );
    }
    expect(await shown(emulator)).toEqual(everywhere(required ? null : nameless.root.digest));
  },
);

bothWays(
  '14b',
  'nestedIndexes',
  'an index in an index is refused before a layer is sent',
  async (_, behaviour) => {
    const emulator = await emulate({ behaviour });
    const inner = { ...index, listed: { ...descriptorOf(index.root), platform } };
    const { states, errors } = await mirror(indexOf([amd64, inner]));
    expect(states).toEqual(everywhere('failed'));
    for (const error of errors) expect(error).toContain('manifests[1] is an index itself');
    expect(writes(emulator)).toEqual([]);
  },
);

bothWays('14c', 'checkSizes', 'sizes that are true are taken', async (_, behaviour) => {
  await emulate({ behaviour });
  expect((await mirror(index)).states).toEqual(everywhere('published'));
});

bothWays(
  '14c',
  'checkSizes',
  'a size that is not true is found before the registry is told',
  async (_, behaviour) => {
    const emulator = await emulate({ behaviour });
    const { states, errors } = await mirror(withLayer({ ...blobOf(utf8('own'), OCI_LAYER), size: 4 }));
    expect(states).toEqual(everywhere('failed'));
    for (const error of errors) expect(error).toMatch(/size|bytes/);
    expect(statusesOf(emulator, 'PUT manifests')).toEqual([]);
  },
);

/** An image whose manifest says this of its one layer. */
function withLayer(layer: ReturnType<typeof blobOf>): Graph {
  const image = imageOf('linux/amd64', { layers: ['own'] });
  const fields: Record<string, unknown> = JSON.parse(Buffer.from(image.root.bytes).toString());
  const root = manifestOf({ ...fields, layers: [layer] }, OCI_MANIFEST);
  return { root, manifests: new Map([[root.digest, root]]), blobs: image.blobs };
}

bothWays(
  '9e',
  'emptyBlobs',
  'an image with an empty layer is refused before another one is sent',
  async (_, behaviour) => {
    const emulator = await emulate({ behaviour });
    const { states, errors } = await mirror(imageOf('linux/amd64', { layers: ['full', ''] }));
    expect(states).toEqual(everywhere('failed'));
    for (const error of errors) {
      expect(error).toContain('layers[1] is empty, but ECR takes no blob of 0 bytes');
    }
    expect(writes(emulator)).toEqual([]);
  },
);

fact('9', 'a layer that is over the limit is refused before another one is sent', async () => {
  const emulator = await emulate();
  const size = 52_000 * 1024 * 1024 + 1;
  const { states, errors } = await mirror(withLayer({ ...blobOf(utf8('own'), OCI_LAYER), size }));
  expect(states).toEqual(everywhere('failed'));
  for (const error of errors) expect(error).toContain('ECR takes 52000 MiB at the most');
  expect(writes(emulator)).toEqual([]);
});

/** An image whose manifest has so many bytes. */
function ofBytes(size: number): Image {
  const withNote = (length: number) =>
    imageOf('linux/amd64', { fields: { annotations: { note: 'x'.repeat(length) } } });
  return withNote(size - withNote(0).root.bytes.byteLength);
}

const MOST = 4 * 1024 * 1024;

fact('9a', 'a manifest of 4 MiB is published', async () => {
  const image = ofBytes(MOST);
  expect(image.root.bytes.byteLength).toBe(MOST);
  const regions = ['us-east-1'];
  const emulator = await emulate({ regions });
  expect((await mirror(image, { regions: 'us-east-1' })).states).toEqual(['published']);
  expect(await shown(emulator, 'v1', { regions })).toEqual([image.root.digest]);
});

fact('9a', 'a manifest of more is refused before anything is sent', async () => {
  const emulator = await emulate();
  const text = JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: [],
    note: 'x'.repeat(MOST),
  });
  const bytes = utf8(text);
  const root = { ...index.root, bytes };
  const problems = await problemsOf(mirror({ ...index, root }));
  expect(problems).toEqual([expect.stringMatching(/^input "source": .* cannot be read: /)]);
  expect(writes(emulator)).toEqual([]);
});

fact('13b', 'an image that is converted after all is not taken for what was asked', async () => {
  // A source that gives Docker's form of an image by its digest, as no registry should.
  const emulator = await emulate();
  const lying = {
    ...docker,
    root: { ...docker.root, digest: amd64.root.digest, mediaType: DOCKER_MANIFEST },
  };
  const lie = { ...indexOf([amd64]), manifests: new Map([[amd64.root.digest, lying.root]]) };
  const { states, errors } = await mirror(lie);
  expect(states).toEqual(everywhere('failed'));
  for (const error of errors) expect(error).toContain(`gave a manifest of digest ${docker.root.digest}`);
  expect(await shown(emulator)).toEqual(everywhere(null));
});
