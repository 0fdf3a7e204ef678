import { describe, expect, test } from '@jest/globals';
import { Problems } from '../../src/problems.ts';
import type { Leg } from '../../src/release/leg.ts';
import { composeLeg } from '../../src/release/legs/tagged.ts';
import type { Values } from '../inputs/read.ts';
import { openEmulated, REGIONS } from '../support/emulated.ts';
import { imageOf, indexOf } from '../support/images.ts';
import { type FanIn, OTHER_REPOSITORY, startFanIn } from './fanIn.ts';

const amd64 = imageOf('linux/amd64');
const arm64 = imageOf('linux/arm64');
const twin = imageOf('linux/arm64', { layers: ['twin'] });
const [one = '', two = ''] = REGIONS;
const BOTH = 'linux/amd64,linux/arm64';
const TAGS: Values = { legs: 'tags', tags: 'v1' };
const BY_TAGS: Values = { ...TAGS, platforms: BOTH };
const [AMD64, ARM64, TWIN] = [amd64, arm64, twin].map(({ root }) => root.digest);
const NOWHERE = `sha256:${'0'.repeat(64)}`;
const byDigest = (legs: unknown): Values => ({ legs: JSON.stringify(legs) });
const needed = (outputs: Values, result = 'success') => ({ build: { result, outputs } });
const place = (index: number, total: number): Values => ({
  'job-index': String(index),
  'job-total': String(total),
});

/** Leaves the record of a leg again, with something else in it. */
async function leaveAgain(fanIn: FanIn, change: (leg: Leg) => Leg): Promise<void> {
  const [leg] = await fanIn.legs();
  if (leg) await fanIn.leave('ecr-multiarch-leg-again-0123456789ab-1', JSON.stringify(change(leg)));
}

/** Has a tag show what was pushed there before, in all regions. */
async function retag(tag: string, digest: string): Promise<void> {
  for (const destination of await openEmulated()) {
    const shown = await destination.tagged(digest);
    if (shown) await destination.writeManifest(tag, shown);
  }
}

/** What is wrong, how it comes to be, the stitch's inputs, and every problem that it then tells. */
type Fault = readonly [
  fault: string,
  make: (fanIn: FanIn) => Promise<unknown>,
  inputs: Values,
  problems: readonly string[],
];

const AMONG_ARTIFACTS: readonly Fault[] = [
  [
    'there is no leg',
    async () => undefined,
    {},
    [
      'no leg of "team/app" was found in this run: let the stitch job need the build jobs ("needs: build"), which use the same "repository" and have no "legs: none"; if they ran long ago, their artifacts may have expired: run all jobs again',
    ],
  ],
  [
    'a platform has no leg',
    (fanIn) => fanIn.build(amd64, place(0, 2)),
    { platforms: BOTH },
    [
      'linux/arm64 is missing: no leg of this run built it (there are linux/amd64); check that its build job ran and succeeded',
    ],
  ],
  [
    'a job of the matrix left no leg',
    async (fanIn) => {
      await fanIn.build(amd64, place(0, 4));
      await fanIn.build(arm64, place(2, 4));
    },
    {},
    [
      'the job "build" has 4 jobs in its matrix, but 2 left a leg; there is none of #1, #3: check that all of them succeeded, or name the platforms that you expect in "platforms"',
    ],
  ],
  [
    'another variant was built',
    (fanIn) => fanIn.build(imageOf('linux/arm/v6')),
    { platforms: 'linux/arm' },
    [
      'linux/arm/v7 is missing: no leg of this run built it (there are linux/arm/v6); check that its build job ran and succeeded',
    ],
  ],
  [
    'a platform was built twice',
    async (fanIn) => {
      await fanIn.build(arm64, place(0, 2));
      await fanIn.build(twin, place(1, 2));
    },
    {},
    [
      `linux/arm64 was built more than once: job build #0 of attempt 1 built ${ARM64}, job build #1 of attempt 1 built ${TWIN}; let each leg build a platform of its own; if they are different images of one repository, hand the digests of its own legs to the stitch with "legs: \${{ toJSON(needs) }}"`,
    ],
  ],
  [
    'a reusable workflow was called twice, and each has built the platform',
    async (fanIn) => {
      await fanIn.build(arm64, place(0, 1), { call: 'debug' });
      await fanIn.build(twin, place(0, 1), { call: 'release' });
    },
    {},
    [
      `linux/arm64 was built more than once: job build #0 of attempt 1 built ${ARM64}, job build #0 of attempt 1 built ${TWIN}; let each leg build a platform of its own; if they are different images of one repository, hand the digests of its own legs to the stitch with "legs: \${{ toJSON(needs) }}"`,
    ],
  ],
  [
    'each region was built for apart',
    async (fanIn) => {
      await fanIn.build(arm64, { ...place(0, 2), regions: one });
      await fanIn.build(twin, { ...place(1, 2), regions: two });
    },
    {},
    [
      `linux/arm64 is not the same image in all regions: job build #0 of attempt 1 built ${ARM64} for ${one}, job build #1 of attempt 1 built ${TWIN} for ${two}; builds that run apart seldom give the same bytes: let one job build it for all regions, or for one of them, from which the stitch copies it to the others`,
    ],
  ],
  [
    'the legs are of another repository',
    (fanIn) => fanIn.build(amd64, { repository: OTHER_REPOSITORY }),
    {},
    [
      'no leg of "team/app" was found in this run; this run has legs of "team/other": let the stitch job need the build jobs ("needs: build"), which use the same "repository" and have no "legs: none"; if they ran long ago, their artifacts may have expired: run all jobs again',
    ],
  ],
  [
    'a leg is of an earlier run',
    async (fanIn) => {
      await fanIn.build(amd64);
      await leaveAgain(fanIn, (leg) => ({ ...leg, runId: '6' }));
    },
    {},
    [
      'job build of attempt 1 is of the run 6, but this is the run 7: let runs that publish the same tags wait for each other ("concurrency"), and run all jobs of this one again',
    ],
  ],
  [
    'a leg is of a newer version',
    async (fanIn) => {
      await fanIn.build(amd64);
      const schema = 'ecr-multiarch/leg/v2';
      await fanIn.leave('ecr-multiarch-leg-new-0123456789ab-1', JSON.stringify({ schema }));
    },
    {},
    [
      'the artifact ecr-multiarch-leg-new-0123456789ab-1 is no leg that this version can read, but one of v2 rather than v1: use the same version of this action in all jobs',
    ],
  ],
  [
    'a leg has an index where an image belongs',
    async (fanIn) => {
      await fanIn.build(amd64, {}, { runId: '6' });
      const image = { ...amd64.listed, mediaType: indexOf([amd64]).root.mediaType };
      const leg = {
        ...{ schema: 'ecr-multiarch/leg/v1', repository: 'team/app', runId: '7', runAttempt: 1 },
        ...{ job: 'build', jobIndex: 2, builder: '', root: AMD64, attestations: [], destinations: [] },
        images: [{ descriptor: image, bytes: 1 }],
      };
      await fanIn.leave('ecr-multiarch-leg-x-0123456789ab-1', JSON.stringify(leg));
    },
    {},
    [
      `job build #2 of attempt 1 names the index ${AMD64} where an image belongs: let the leg have the image of each platform`,
    ],
  ],
  [
    'one leg has media types of Docker, and another those of OCI',
    async (fanIn) => {
      await fanIn.build(amd64, place(0, 2));
      await fanIn.build(imageOf('linux/arm64', { docker: true }), place(1, 2));
    },
    {},
    [
      `the legs mix media types: job build #0 of attempt 1 has OCI's, and job build #1 of attempt 1 has Docker's; build all of them with the same tool and with the same "provenance" and "sbom"`,
    ],
  ],
];

const UNDER_TAGS: readonly Fault[] = [
  [
    'it is not said which tags there are',
    async () => undefined,
    TAGS,
    [
      'input "platforms" is missing: with "legs: tags" it says whose tags to read; write all platforms of the image, such as "linux/amd64, linux/arm64"',
    ],
  ],
  [
    'a platform has no tag',
    (fanIn) => fanIn.build(amd64, TAGS),
    BY_TAGS,
    [
      `linux/arm64 is missing: there is no tag "v1-arm64" in ${REGIONS.join(', ')} (there are linux/amd64); check that its build job ran and succeeded, with "legs: tags" and the same "tags", "platform-tags" and "repository"`,
    ],
  ],
  [
    'a later run has written a tag meanwhile',
    async (fanIn) => {
      await fanIn.build(amd64, TAGS);
      await fanIn.build(arm64, TAGS);
      await fanIn.build(twin, { ...TAGS, ...place(1, 2) }, { runId: '8', runAttempt: 2 });
    },
    BY_TAGS,
    [
      `tag "v1-arm64" in ${REGIONS.join(', ')} (job build #1 of attempt 2) is of the run 8, but this is the run 7: let runs that publish the same tags wait for each other ("concurrency"), and run all jobs of this one again`,
    ],
  ],
  [
    'a region shows the tag of an earlier run',
    async (fanIn) => {
      await fanIn.build(arm64, TAGS, { runId: '6' });
      await fanIn.build(amd64, TAGS);
      await fanIn.build(arm64, { ...TAGS, regions: one });
    },
    BY_TAGS,
    [
      `tag "v1-arm64" in ${REGIONS.slice(1).join(', ')} (job build of attempt 1) is of the run 6, but this is the run 7: let runs that publish the same tags wait for each other ("concurrency"), and run all jobs of this one again`,
    ],
  ],
  [
    'each region was built for apart',
    async (fanIn) => {
      await fanIn.build(amd64, TAGS);
      await fanIn.build(arm64, { ...TAGS, ...place(0, 2), regions: one });
      await fanIn.build(twin, { ...TAGS, ...place(1, 2), regions: two });
    },
    BY_TAGS,
    [
      `linux/arm64 is not the same image in all regions: tag "v1-arm64" in ${one} (job build #0 of attempt 1) built ${ARM64} for ${one}, tag "v1-arm64" in ${two} (job build #1 of attempt 1) built ${TWIN} for ${two}; builds that run apart seldom give the same bytes: let one job build it for all regions, or for one of them, from which the stitch copies it to the others`,
    ],
  ],
  [
    'another tool has written the tags',
    async (fanIn) => {
      await fanIn.build(amd64, TAGS);
      await fanIn.build(arm64, { legs: 'none', tags: 'v1-arm64' });
    },
    BY_TAGS,
    [
      `tag "v1-arm64" in ${REGIONS.join(', ')} shows ${ARM64}, which no step of this action with "legs: tags" has written: let the build jobs have one, and no other tool write these tags`,
    ],
  ],
  [
    "a tag shows another platform's image",
    async (fanIn) => {
      await fanIn.build(amd64, TAGS);
      await retag('v1-arm64', 'v1-amd64');
    },
    BY_TAGS,
    [
      `tag "v1-arm64" in ${REGIONS.join(', ')} should be linux/arm64, but the image's own config says linux/amd64: check "platform-tags" of the build jobs, and that the FROM of the Dockerfile names no other platform`,
    ],
  ],
  [
    'a leg is of another repository',
    async (fanIn) => {
      await fanIn.build(arm64);
      const [leg] = await fanIn.legs();
      if (!leg) throw new Error('no leg');
      const index = composeLeg({ ...leg, repository: 'team/origin' });
      for (const destination of await openEmulated()) await destination.writeManifest('v1-arm64', index);
    },
    { ...TAGS, platforms: 'linux/arm64' },
    [
      `tag "v1-arm64" in ${REGIONS.join(', ')} has a leg of the repository "team/origin", but this is "team/app": write the same "repository" in all jobs`,
    ],
  ],
];

const BY_DIGEST: readonly Fault[] = [
  [
    'a job has failed',
    (fanIn) => fanIn.build(amd64, { legs: 'none' }),
    byDigest(needed({ digest: AMD64 ?? '' }, 'failure')),
    ['input "legs": "build": this job ended as failure, so that its legs are not all there: run it again'],
  ],
  [
    'the jobs of a matrix have overwritten the output',
    async (fanIn) => {
      await fanIn.build(amd64, { legs: 'none' });
      await fanIn.build(arm64, { legs: 'none' });
    },
    byDigest(needed({ digest: ARM64 ?? '' })),
    [
      `"legs" has linux/arm64 alone: the jobs of a matrix overwrite each other's outputs, so that one of them is left: put each digest out under a name of its own, or, if there is no other platform, write this one in "platforms"`,
    ],
  ],
  [
    'no region holds a digest',
    (fanIn) => fanIn.build(amd64, { legs: 'none' }),
    byDigest(needed({ base: NOWHERE, digest: AMD64 ?? '' })),
    [
      `output "base" of job build is ${NOWHERE}, which "team/app" does not have in ${REGIONS.join(', ')}: let it be what the build step has put out as "digest", for the same "repository" and at least one of these regions`,
    ],
  ],
  [
    'a platform has two digests',
    async (fanIn) => {
      await fanIn.build(arm64, { legs: 'none' });
      await fanIn.build(twin, { legs: 'none' });
    },
    { ...byDigest(needed({ one: ARM64 ?? '', two: TWIN ?? '' })), platforms: 'linux/arm64' },
    [
      `linux/arm64 was built more than once: output "one" of job build built ${ARM64}, output "two" of job build built ${TWIN}; let each leg build a platform of its own; if they are different images of one repository, hand the digests of its own legs to the stitch with "legs: \${{ toJSON(needs) }}"`,
    ],
  ],
  [
    'each region was built for apart',
    async (fanIn) => {
      await fanIn.build(arm64, { legs: 'none', regions: one });
      await fanIn.build(twin, { legs: 'none', regions: two });
    },
    { ...byDigest(needed({ first: ARM64 ?? '', second: TWIN ?? '' })), platforms: 'linux/arm64' },
    [
      `linux/arm64 is not the same image in all regions: output "first" of job build built ${ARM64} for ${one}, output "second" of job build built ${TWIN} for ${two}; builds that run apart seldom give the same bytes: let one job build it for all regions, or for one of them, from which the stitch copies it to the others`,
    ],
  ],
  [
    'a digest is that of another platform',
    async (fanIn) => {
      await fanIn.build(amd64, { legs: 'none' });
      await fanIn.build(arm64, { legs: 'none' });
    },
    byDigest({ 'linux/amd64': ARM64, 'linux/arm64': AMD64 }),
    [
      `the entry linux/amd64 of "legs" should be linux/amd64, but the image's own config says linux/arm64: check which digest belongs to which platform, and that the FROM of the Dockerfile names no other platform`,
      `the entry linux/arm64 of "legs" should be linux/arm64, but the image's own config says linux/amd64: check which digest belongs to which platform, and that the FROM of the Dockerfile names no other platform`,
    ],
  ],
  [
    'a digest is that of several platforms',
    (fanIn) => fanIn.build(indexOf([amd64, arm64]), { legs: 'none' }),
    byDigest({ 'linux/amd64': indexOf([amd64, arm64]).root.digest }),
    [
      `the entry linux/amd64 of "legs" should be linux/amd64, but the image's own config says linux/arm64: check which digest belongs to which platform, and that the FROM of the Dockerfile names no other platform`,
    ],
  ],
  [
    'a platform that is wanted has no digest',
    (fanIn) => fanIn.build(amd64, { legs: 'none' }),
    { ...byDigest({ 'linux/amd64': AMD64 }), platforms: BOTH },
    [
      'linux/arm64 is missing: no digest in "legs" is one of its image (there are linux/amd64); let "legs" have what its build step has put out as "digest"',
    ],
  ],
];

describe.each([
  ['among artifacts', AMONG_ARTIFACTS],
  ['under tags', UNDER_TAGS],
  ['by digest', BY_DIGEST],
])('a stitch whose legs are %s', (_, faults) => {
  test.each(faults)('refuses them when %s, and writes nothing', async (_fault, make, inputs, problems) => {
    const fanIn = await startFanIn();
    await make(fanIn);
    const before = fanIn.writes().length;
    const refusal = await fanIn.stitch(inputs).catch((error) => error);
    expect(refusal).toBeInstanceOf(Problems);
    expect(refusal instanceof Problems && refusal.problems).toEqual(problems);
    expect(fanIn.writes()).toHaveLength(before);
  });
});
