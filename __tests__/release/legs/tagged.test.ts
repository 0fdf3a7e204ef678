import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parsePlatform } from '../../../src/image/platform.ts';
import { LEG_SCHEMA, type Leg } from '../../../src/release/leg.ts';
import { tagsOfLeg } from '../../../src/release/legs/beside.ts';
import { composeLeg, readTaggedLegs } from '../../../src/release/legs/tagged.ts';
import { attestationOf, imageOf, indexOf, manifestOf } from '../../support/images.ts';
import { MemoryDestination } from '../../support/memory.ts';

const image = imageOf('linux/arm/v6');
const attestation = attestationOf(image);
const wanted = [{ tag: 'v1', platform: parsePlatform('linux/arm/v6') }];

const leg: Leg = {
  schema: LEG_SCHEMA,
  repository: 'team/app',
  runId: '7',
  runAttempt: 1,
  job: 'build',
  builder: 'default',
  root: image.root.digest,
  images: [
    {
      descriptor: image.listed,
      bytes: [...image.blobs.values()].reduce((sum, { byteLength }) => sum + byteLength, 0),
    },
  ],
  attestations: [attestation.listed],
  destinations: ['one.example/app'],
};

/** A destination whose tag shows a leg. */
function holding(name: string, record: Leg): MemoryDestination {
  const destination = new MemoryDestination(name, indexOf([image, attestation]));
  const index = composeLeg(record);
  destination.manifests.set(index.digest, index);
  destination.tags.set('v1', index.digest);
  return destination;
}

const RUN = { repository: 'team/app', runId: '7' };
const texts = fc.string({ unit: 'binary', maxLength: 20 });

describe('a leg under a tag', () => {
  test('comes back as it was handed over, with its platform from the config', async () => {
    const records = fc.record(
      {
        runId: texts,
        runAttempt: fc.nat(),
        job: texts,
        jobIndex: fc.nat(),
        jobTotal: fc.nat(),
        call: texts,
        builder: texts,
      },
      { requiredKeys: ['runId', 'runAttempt', 'job', 'builder'] },
    );
    await fc.assert(
      fc.asyncProperty(records, async (fields) => {
        const record: Leg = { ...leg, ...fields };
        const { legs, problems } = await readTaggedLegs(wanted, RUN, { all: [holding('one', record)] });
        expect(problems).toEqual([]);
        const [{ found, tagged, ...read }] = [...legs, { found: undefined, tagged: undefined }];
        expect(read).toEqual(record);
        expect(tagged?.digest).toBe(composeLeg(record).digest);
        expect(found).toMatch(/^tag "v1" in one \(job /);
      }),
    );
  });

  test('is one for all destinations that show it, and another where they show another', async () => {
    const destinations = [
      holding('one', leg),
      holding('two', leg),
      holding('three', { ...leg, runId: '6' }),
      new MemoryDestination('four'),
    ];
    const { legs } = await readTaggedLegs(wanted, RUN, { all: destinations });
    expect(legs.map(({ runId, found }) => [runId, found])).toEqual([
      ['7', 'tag "v1" in one, two (job build of attempt 1)'],
      ['6', 'tag "v1" in three (job build of attempt 1)'],
    ]);
    expect(legs[0]?.destinations).toEqual(['one.example/app', 'two.example/app']);
  });

  test('is an index of one platform, with what attests that one', () => {
    const other = imageOf('linux/amd64');
    const both: Leg = {
      ...leg,
      images: [...leg.images, { descriptor: other.listed, bytes: 1 }],
      attestations: [attestation.listed, attestationOf(other).listed],
    };
    const { beside } = tagsOfLeg(both, '{tag}-{arch}', ['a', 'b']);
    expect([...beside.keys()]).toEqual(['a-arm', 'a-amd64', 'b-arm', 'b-amd64']);
    const children = (tag: string) => {
      const shown = beside.get(tag);
      return shown?.kind === 'index' ? shown.manifests.map(({ digest }) => digest) : [];
    };
    expect(children('a-arm')).toEqual([image.root.digest, attestation.root.digest]);
    expect(children('a-amd64')).toEqual([other.root.digest, attestationOf(other).root.digest]);
  });
});

describe('what a tag shows instead', () => {
  test.each<[string, Partial<Leg>, RegExp]>([
    [
      'a leg of another version',
      JSON.parse('{"schema":"ecr-multiarch/leg/v9"}'),
      /^tag "v1" in one is no leg that this version can read, but one of v9 rather than v1: use the same version/,
    ],
    [
      'a leg of another repository',
      { repository: 'team/other' },
      /^tag "v1" in one has a leg of the repository "team\/other", but this is "team\/app": write the same "repository"/,
    ],
  ])('%s is refused', async (_, fields, problem) => {
    const found = await readTaggedLegs(wanted, RUN, {
      all: [holding('one', { ...leg, ...fields })],
    });
    expect(found).toEqual({ legs: [], problems: [expect.stringMatching(problem)] });
  });

  test.each([
    ['an image', image.root],
    ['an index without annotations', indexOf([image]).root],
    [
      'an index with annotations that are none',
      manifestOf(
        {
          schemaVersion: 2,
          mediaType: indexOf([image]).root.mediaType,
          manifests: [image.listed],
          annotations: 1,
        },
        indexOf([image]).root.mediaType,
      ),
    ],
  ])('%s that another tool has written is refused', async (_, shown) => {
    const destination = new MemoryDestination('one', indexOf([image]));
    destination.manifests.set(shown.digest, shown);
    destination.tags.set('v1', shown.digest);
    expect(await readTaggedLegs(wanted, RUN, { all: [destination] })).toEqual({
      legs: [],
      problems: [
        expect.stringMatching(
          /^tag "v1" in one shows sha256:\w+, which no step of this action with "legs: tags" has/,
        ),
      ],
    });
  });
});
