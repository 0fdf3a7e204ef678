import { describe, expect, test } from '@jest/globals';
import * as z from 'zod/mini';
import type { Emulator } from '../../emulator/emulator.ts';
import { hexOf } from '../../src/image/digest.ts';
import { describe as descriptorOf, type Manifest } from '../../src/image/manifest.ts';
import { Replica } from '../../src/release/replicate.ts';
import { logIn } from '../emulator/support.ts';
import { type Acted, act, everywhere, type Given, mirror, problemsOf, shown } from '../facts/act.ts';
import { emulate, openEmulated, REGIONS, REPOSITORY } from '../support/emulated.ts';
import { attestationOf, type Graph, imageOf, indexOf } from '../support/images.ts';
import { SILENT, sourceOf } from '../support/memory.ts';
import { refuse, serve } from '../support/server.ts';

const ACCOUNT = '123456789012';
const amd64 = imageOf('linux/amd64');
const arm64 = imageOf('linux/arm64');
const index = indexOf([amd64, arm64, attestationOf(amd64)]);

function referrerOf(subject: Manifest, name: string): Graph {
  return imageOf('linux/amd64', {
    layers: [`${name} of ${subject.digest}`],
    fields: { artifactType: `application/vnd.example.${name}`, subject: descriptorOf(subject) },
  });
}

const signature = referrerOf(index.root, 'signature');
const timestamp = referrerOf(signature.root, 'timestamp');
const report = referrerOf(arm64.root, 'report');
const referrers = [signature, timestamp, report];
const cosigned = imageOf('linux/amd64', { layers: ['cosign'] });
const COSIGN_TAG = `sha256-${hexOf(index.root.digest)}.sig`;

/** Puts images into one region, the last of them under a tag of cosign, as other tools do. */
async function hold(region: string, graphs: readonly Graph[], cosign: Graph): Promise<void> {
  for (const destination of await openEmulated({ regions: [region] })) {
    for (const graph of [...graphs, cosign]) {
      const replica = new Replica(destination, sourceOf(graph), { uploads: 4, observer: SILENT });
      await replica.copy(descriptorOf(graph.root));
    }
    await destination.writeManifest(COSIGN_TAG, cosign.root);
  }
}

/** Publishes and signs the image in one region. */
function sign(signatures: readonly Graph[] = referrers): Promise<void> {
  return hold('us-east-1', [index, ...signatures], cosigned);
}

/** Mirrors the image from that region to all, by its digest. */
function carry(given: Given = {}): Promise<Acted> {
  const source = `${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/${REPOSITORY}@${index.root.digest}`;
  return act({ mode: 'mirror', source, tags: 'v1', referrers: 'true', 'account-id': ACCOUNT, ...given });
}

const listSchema = z.object({ manifests: z.array(z.object({ digest: z.string() })) });

/** What a region lists as referring to a manifest. */
async function listed(emulator: Emulator, region: string, { digest }: Manifest): Promise<string[]> {
  const { call } = await logIn(emulator, region);
  const answer = await call('GET', `/v2/${REPOSITORY}/referrers/${digest}`);
  return z.parse(listSchema, await answer.json()).manifests.map((each) => each.digest);
}

describe('a mirror with what refers to the image', () => {
  test('has it found in every region, by the referrers API and by the tags of cosign', async () => {
    const emulator = await emulate({ behaviour: { quotas: {} } });
    await sign();
    const { outcome, states } = await carry();
    expect(states).toEqual(everywhere('published'));
    expect(outcome.referrers).toBe(4);
    for (const region of REGIONS) {
      expect(await listed(emulator, region, index.root)).toEqual([signature.root.digest]);
      expect(await listed(emulator, region, signature.root)).toEqual([timestamp.root.digest]);
      expect(await listed(emulator, region, arm64.root)).toEqual([report.root.digest]);
    }
    expect(await shown(emulator, COSIGN_TAG)).toEqual(everywhere(cosigned.root.digest));
    expect(await shown(emulator)).toEqual(everywhere(index.root.digest));
  });

  test('again writes nothing, and neither does it where it came from', async () => {
    const emulator = await emulate({ behaviour: { quotas: {} } });
    await sign();
    await carry();
    const before = emulator.requests.length;
    const { states, sent } = await carry();
    expect(states).toEqual(everywhere('unchanged'));
    expect(sent).toEqual(everywhere(0));
    const writes = emulator.requests
      .slice(before)
      .filter(({ method, path }) => method === 'PUT' && path.startsWith('/v2/'));
    expect(writes).toEqual([]);
  });

  test('brings later signatures to regions that have the image already', async () => {
    const emulator = await emulate({ behaviour: { quotas: {} } });
    await mirror(index);
    await sign();
    const { states } = await carry();
    expect(states).toEqual(['unchanged', 'published', 'published']);
    expect(await listed(emulator, 'sa-east-1', index.root)).toEqual([signature.root.digest]);
  });

  test('reads a list in pages', async () => {
    const emulator = await emulate({ behaviour: { quotas: {}, referrersPage: 2 } });
    const many = Array.from({ length: 5 }, (_, each) => referrerOf(index.root, `report-${each}`));
    await sign(many);
    expect((await carry()).outcome.referrers).toBe(6);
    const sums = emulator.requests.filter(
      ({ region, path }) => region === 'us-east-1' && path.includes(`referrers/${index.root.digest}`),
    );
    expect(sums).toHaveLength(3);
  });

  test('takes no referrers when it was not asked to', async () => {
    const emulator = await emulate({ behaviour: { quotas: {} } });
    await sign();
    const before = emulator.requests.length;
    const { outcome } = await carry({ referrers: '' });
    const asked = emulator.requests.slice(before).map(({ path }) => path);
    expect(asked.filter((path) => /referrers|\.sig$/.test(path))).toEqual([]);
    expect(outcome).not.toHaveProperty('referrers');
    expect(await listed(emulator, 'sa-east-1', index.root)).toEqual([]);
  });

  test('of some platforms takes what refers to their images', async () => {
    const emulator = await emulate({ behaviour: { quotas: {} } });
    await sign();
    const { outcome, states } = await carry({ platforms: 'linux/arm64' });
    expect(states).toEqual(everywhere('published'));
    expect(outcome.referrers).toBe(1);
    expect(await listed(emulator, 'sa-east-1', arm64.root)).toEqual([report.root.digest]);
  });

  test('reads the list under a tag where the registry has no referrers API', async () => {
    const emulator = await emulate({ behaviour: { quotas: {} } });
    const graphs = [index, signature];
    const list = indexOf([], { manifests: [descriptorOf(signature.root)] });
    const { url } = await serve(({ path }, response) => {
      const reference = path.split('/').at(-1) ?? '';
      const tags = new Map([
        ['1', index.root],
        [`sha256-${hexOf(index.root.digest)}`, list.root],
      ]);
      const manifests = graphs.flatMap((graph) => [...graph.manifests.values()]);
      const manifest = tags.get(reference) ?? manifests.find(({ digest }) => digest === reference);
      const blob = graphs.flatMap((graph) => [...graph.blobs]).find(([digest]) => digest === reference)?.[1];
      if (path.includes('/manifests/') && manifest) {
        return response.writeHead(200, { 'content-type': manifest.mediaType }).end(manifest.bytes);
      }
      return blob ? response.end(blob) : refuse(response, 404, 'NOT_FOUND');
    });
    const source = `${new URL(url).host}/app:1`;
    const { outcome } = await act({ mode: 'mirror', source, tags: 'v1', referrers: 'true' });
    expect(outcome.referrers).toBe(1);
    expect(await listed(emulator, 'eu-west-1', index.root)).toEqual([signature.root.digest]);
  });
});

describe('a tag of cosign that shows another signature', () => {
  const other = imageOf('linux/amd64', { layers: ['another signature'] });

  async function signedTwice(imageTagMutability: 'MUTABLE' | 'IMMUTABLE'): Promise<Emulator> {
    const emulator = await emulate({ repositories: [], behaviour: { quotas: {} } });
    emulator.createRepository(REPOSITORY, { imageTagMutability });
    await sign();
    await hold('sa-east-1', [], other);
    return emulator;
  }

  test('moves where it may', async () => {
    const emulator = await signedTwice('MUTABLE');
    expect((await carry()).states).toEqual(everywhere('published'));
    expect(await shown(emulator, COSIGN_TAG)).toEqual(everywhere(cosigned.root.digest));
  });

  test('keeps everything from being shown where it is immutable', async () => {
    const emulator = await signedTwice('IMMUTABLE');
    const { states, errors } = await carry();
    expect(states).toEqual(['held back', 'held back', 'failed']);
    expect(errors).toEqual([
      expect.stringContaining(`the tag "${COSIGN_TAG}" is immutable and shows ${other.root.digest}`),
    ]);
    expect(await shown(emulator)).toEqual(everywhere(null));
  });
});

describe('referrers that cannot be had', () => {
  test('are told with what to allow', async () => {
    const emulator = await emulate({
      fault: ({ path }) =>
        path.includes('/referrers/') ? { status: 403, code: 'DENIED', message: 'not for you' } : undefined,
    });
    await sign();
    const [problem] = await problemsOf(carry());
    expect(problem).toMatch(/^input "referrers": what refers to \S+ cannot be mirrored: .*not for you/);
    expect(problem).toMatch(
      /allow ecr:BatchGetImage on arn:aws:ecr:us-east-1:123456789012:repository\/team\/app/,
    );
    expect(problem).toMatch(/or leave "referrers" out$/);
    expect(await shown(emulator)).toEqual(everywhere(null));
  });

  test('are told when the list is no list', async () => {
    const emulator = await emulate();
    const { url } = await serve(({ path }, response) => {
      if (path.includes('/referrers/')) return response.end('{"manifests": 7}');
      return response.writeHead(200, { 'content-type': index.root.mediaType }).end(index.root.bytes);
    });
    const source = `${new URL(url).host}/app:1`;
    const problems = await problemsOf(act({ mode: 'mirror', source, tags: 'v1', referrers: 'true' }));
    expect(problems).toEqual([expect.stringMatching(/^input "referrers": .*not a valid/)]);
    expect(await shown(emulator)).toEqual(everywhere(null));
  });
});
