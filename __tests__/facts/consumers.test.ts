import { DescribeImagesCommand } from '@aws-sdk/client-ecr';
import { expect } from '@jest/globals';
import fc from 'fast-check';
import * as z from 'zod/mini';
import { parsePlatform } from '../../src/image/platform.ts';
import { ecrClient, logIn } from '../emulator/support.ts';
import { buildxOf } from '../modes/buildx.ts';
import { emulate, REGIONS, REPOSITORY } from '../support/emulated.ts';
import { attestationOf, type Image, imageOf, indexOf } from '../support/images.ts';
import { act, everywhere, land, mirror, publish, shown, statusesOf, stitch } from './act.ts';
import { fact } from './fact.ts';

const [amd64, arm64] = [imageOf('linux/amd64'), imageOf('linux/arm64')];

/** The media type of what a reference shows in a region, as a runtime asks for it. */
async function typeOf(emulator: Parameters<typeof logIn>[0], reference: string): Promise<string | null> {
  const { call } = await logIn(emulator, 'eu-west-1');
  const answer = await call('GET', `/v2/${REPOSITORY}/manifests/${reference}`, {
    headers: { accept: '*/*' },
  });
  return answer.headers.get('content-type');
}

fact('c-lambda', 'a build without attestations is published as the single manifest that it is', async () => {
  const emulator = await emulate();
  const given = { platforms: 'linux/arm64', legs: 'none', tags: 'v1', provenance: 'false', sbom: 'false' };
  const { docker } = buildxOf(arm64);
  const { states } = await act(given, { docker });
  expect(states).toEqual(everywhere('published'));
  expect(await shown(emulator)).toEqual(everywhere(arm64.root.digest));
  expect(await typeOf(emulator, 'v1')).toBe(arm64.root.mediaType);
});

fact('c-lambda', 'a layout of one image stays the single manifest that it is', async () => {
  const emulator = await emulate();
  await publish(arm64);
  expect(await typeOf(emulator, 'v1')).toBe(arm64.root.mediaType);
});

fact('c-lambda', "a stitched release has each platform's single manifest under its digest", async () => {
  const emulator = await emulate();
  await land([amd64, arm64]);
  await stitch([amd64, arm64]);
  expect(await typeOf(emulator, 'v1')).toContain('index');
  for (const { root } of [amd64, arm64]) expect(await typeOf(emulator, root.digest)).toBe(root.mediaType);
});

const listSchema = z.object({
  manifests: z.array(
    z.looseObject({ platform: z.looseObject({ os: z.string(), architecture: z.string() }) }),
  ),
});

const platforms = fc.uniqueArray(
  fc.constantFrom('linux/amd64', 'linux/arm64', 'linux/arm/v6', 'linux/arm/v7', 'linux/386', 'linux/riscv64'),
  { minLength: 1, maxLength: 5 },
);

fact(
  'c-platform',
  'whatever is stitched, every entry of the index says its os and its architecture',
  async () => {
    await emulate({ regions: ['us-east-1'] });
    const given = { regions: 'us-east-1' };
    await fc.assert(
      fc.asyncProperty(platforms, async (names) => {
        const images = names.map((name) => imageOf(name));
        await land(images, given);
        const { outcome } = await stitch(images, given);
        const { manifests } = z.parse(listSchema, JSON.parse(outcome.metadata));
        expect(manifests.map(({ platform }) => platform)).toEqual(
          expect.arrayContaining(names.map((name) => parsePlatform(name))),
        );
        expect(manifests).toHaveLength(names.length);
      }),
      { numRuns: 5 },
    );
  },
);

fact('c-platform', 'attestations stand beside the images as unknown, which no runtime takes', async () => {
  const emulator = await emulate();
  const built = indexOf([arm64, attestationOf(arm64)]);
  const given = { platforms: 'linux/arm64', legs: 'none', tags: 'v1' };
  await act(given, { docker: buildxOf(built).docker });
  const { call } = await logIn(emulator, 'us-east-1');
  const answer = await call('GET', `/v2/${REPOSITORY}/manifests/v1`);
  const { manifests } = z.parse(listSchema, JSON.parse(await answer.text()));
  expect(manifests.map(({ platform }) => platform)).toEqual([
    { os: 'linux', architecture: 'arm64' },
    { os: 'unknown', architecture: 'unknown' },
  ]);
});

for (const [what, config] of [
  ['no architecture', { architecture: '' }],
  ['no os', { os: '' }],
] as const) {
  fact('c-platform', `an image that says ${what} is not landed`, async () => {
    const emulator = await emulate();
    const image = imageOf('linux/amd64', { config });
    await expect(publish(image, { tags: '' })).rejects.toThrow('names no os and architecture');
    expect(statusesOf(emulator, 'PUT manifests')).toEqual([]);
  });

  fact('c-platform', `a leg's record of an image that says ${what} is not stitched`, async () => {
    const emulator = await emulate();
    await land([amd64]);
    const before = statusesOf(emulator, 'PUT manifests').length;
    const lying: Image = {
      ...amd64,
      listed: { ...amd64.listed, platform: { ...amd64.listed.platform, ...config } },
    };
    await expect(stitch([lying])).rejects.toThrow(`${amd64.root.digest} has no platform`);
    expect(statusesOf(emulator, 'PUT manifests')).toHaveLength(before);
  });
}

fact('c-attestations', 'attestations have no tag, and are those images of a few bytes', async () => {
  const attestation = attestationOf(arm64);
  const emulator = await emulate();
  await mirror(indexOf([amd64, arm64, attestation]));
  const { imageDetails = [] } = await ecrClient(emulator, 'us-east-1').send(
    new DescribeImagesCommand({ repositoryName: REPOSITORY, filter: { tagStatus: 'UNTAGGED' } }),
  );
  expect(imageDetails.map(({ imageDigest }) => imageDigest).toSorted()).toEqual(
    [amd64, arm64, attestation].map(({ root }) => String(root.digest)).toSorted(),
  );
});

fact(
  'p-alone',
  'every region is written to by the job itself, and no region that was not named',
  async () => {
    const emulator = await emulate();
    const { states } = await mirror(indexOf([amd64, arm64]), { regions: 'us-east-1,sa-east-1' });
    expect(states).toEqual(['published', 'published']);
    expect(REGIONS.map((region) => statusesOf(emulator, 'PUT manifests', region))).toEqual([
      [201, 201, 201, 201],
      [],
      [201, 201, 201, 201],
    ]);
    const { root } = indexOf([amd64, arm64]);
    expect(await shown(emulator)).toEqual([root.digest, null, root.digest]);
  },
);
