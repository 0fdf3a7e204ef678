import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Digest } from '../../src/image/digest.ts';
import type { Manifest } from '../../src/image/manifest.ts';
import type { TagRule } from '../../src/release/content.ts';
import { decide, isChange, type Showing, type TagState } from '../../src/release/decide.ts';
import type { TagPolicy } from '../../src/release/plan.ts';
import { TagsDifferError, TagTakenError } from '../../src/release/taken.ts';
import { attestationOf, imageOf, indexOf } from '../support/images.ts';

const amd64 = imageOf('linux/amd64');
const arm64 = imageOf('linux/arm64');
const root = indexOf([amd64, arm64, attestationOf(amd64)]).root;
/** Of the same images, but ordered, annotated and attested in other ways. */
const equals = [
  indexOf([amd64, arm64]).root,
  indexOf([arm64, amd64], { annotations: { built: 'again' } }).root,
  indexOf([amd64, arm64, attestationOf(arm64)]).root,
];
const [equal, equalToo] = equals.toSorted((one, other) => (one.digest < other.digest ? -1 : 1));
if (!equal || !equalToo) throw new Error('there are images that count as the same');
/** Of fewer images, of more, of others, one that is no index, and an index of no image at all. */
const others = [
  indexOf([amd64]).root,
  indexOf([amd64, arm64, imageOf('linux/riscv64')]).root,
  indexOf([imageOf('linux/amd64', { layers: ['other'] }), arm64]).root,
  amd64.root,
  indexOf([attestationOf(amd64)]).root,
];
const [other, otherToo] = others;
if (!other || !otherToo) throw new Error('there are other images');
const countsAsRoot = (digest: Digest) => [root, ...equals].some((each) => each.digest === digest);

const TAGS = ['v1', 'latest'];
const policies = fc.constantFrom<TagPolicy>('fail', 'same-images', 'keep', 'replace');
const states = fc.record({
  shown: fc.oneof(fc.constant(undefined), fc.constantFrom(root, ...equals), fc.constantFrom(...others)),
  rule: fc.constantFrom<TagRule>('mutable', 'immutable', 'unknown'),
});
const showings: fc.Arbitrary<Showing[]> = fc
  .array(fc.tuple(...TAGS.map(() => states)), { minLength: 1, maxLength: 4 })
  .map((regions) =>
    regions.map((region, position) => ({
      name: `region-${position}`,
      tags: region.map((state, which) => ({ tag: TAGS[which] ?? '', ...state })),
    })),
  );

/** Regions that show something as `v1`. */
function showing(...tags: readonly [shown: Manifest | undefined, rule: TagRule][]): Showing[] {
  return tags.map(([shown, rule], position) => ({
    name: `region-${position}`,
    tags: [{ tag: 'v1', shown, rule }],
  }));
}

/** Two regions: one that shows something as `v1` and something as `latest`, and one in which only `v1` is taken. */
function twoTags(
  v1: readonly [shown: Manifest | undefined, rule: TagRule],
  latest: readonly [shown: Manifest | undefined, rule: TagRule],
): Showing[] {
  const tags = [
    { tag: 'v1', shown: v1[0], rule: v1[1] },
    { tag: 'latest', shown: latest[0], rule: latest[1] },
  ];
  return [
    { name: 'both', tags },
    {
      name: 'one',
      tags: tags.map((state) => ({ ...state, shown: state.tag === 'v1' ? state.shown : undefined })),
    },
  ];
}

const flat = (regions: readonly Showing[]): TagState[] => regions.flatMap(({ tags }) => tags);

/** What one tag shows in each region when all that was decided is done. */
const shownAfter = (policy: TagPolicy, regions: readonly Showing[], tag = 'v1') =>
  decide({ root, ifTagExists: policy }, regions).map(
    ({ decided }) => decided.find((each) => each.tag === tag)?.after.digest ?? 'refused',
  );
const changes = (policy: TagPolicy, regions: readonly Showing[]) =>
  decide({ root, ifTagExists: policy }, regions).map(({ decided }) => decided.filter(isChange).length);

/** The regions as they are when all that was decided is done; nothing when something is refused. */
function apply(policy: TagPolicy, regions: readonly Showing[]): Showing[] | undefined {
  const verdicts = decide({ root, ifTagExists: policy }, regions);
  if (verdicts.some(({ refusal }) => refusal)) return undefined;
  return verdicts.map(({ name, tags, decided }) => ({
    name,
    tags: tags.map((state) => ({ ...state, shown: decided.find(({ tag }) => tag === state.tag)?.after })),
  }));
}

describe('whatever the policy', () => {
  test('an immutable tag that is taken is never written', () => {
    fc.assert(
      fc.property(policies, showings, (policy, regions) => {
        for (const { tags, decided } of decide({ root, ifTagExists: policy }, regions)) {
          for (const change of decided.filter(isChange)) {
            const state = tags.find(({ tag }) => tag === change.tag);
            expect(state?.shown && state.rule === 'immutable').toBeFalsy();
          }
        }
      }),
    );
  });

  test('every tag is decided on, or refused with an error that names it', () => {
    fc.assert(
      fc.property(policies, showings, (policy, regions) => {
        for (const { tags, decided, refusal } of decide({ root, ifTagExists: policy }, regions)) {
          const open = tags.filter(({ tag }) => !decided.some((each) => each.tag === tag));
          expect(refusal === undefined).toBe(open.length === 0);
          for (const { tag } of open) expect(refusal?.message).toContain(`the tag "${tag}" `);
        }
      }),
    );
  });

  test('no tag comes to show what is neither the release nor shown somewhere', () => {
    fc.assert(
      fc.property(policies, showings, (policy, regions) => {
        const known = new Set([root, ...flat(regions).flatMap(({ shown }) => shown ?? [])]);
        for (const { decided } of decide({ root, ifTagExists: policy }, regions)) {
          for (const { after } of decided) expect(known).toContain(after);
        }
      }),
    );
  });

  test('when all is done, nothing is left to be changed', () => {
    fc.assert(
      fc.property(policies, showings, (policy, regions) => {
        const done = apply(policy, regions);
        fc.pre(done !== undefined);
        expect(changes(policy, done)).toEqual(done.map(() => 0));
      }),
      // What would be changed again is seldom.
      { numRuns: 3_000 },
    );
  });

  test('all regions come to show one image, but for equal ones that may be immutable', () => {
    fc.assert(
      fc.property(policies, showings, fc.constantFrom(...TAGS), (policy, regions, tag) => {
        const done = apply(policy, regions);
        fc.pre(done !== undefined);
        const digests = new Set(shownAfter(policy, regions, tag));
        const stuck = flat(regions).flatMap(({ tag: name, shown, rule }) =>
          name === tag && rule !== 'mutable' && shown && countsAsRoot(shown.digest) ? [shown.digest] : [],
        );
        const divided = policy === 'same-images' && new Set(stuck).size > 1;
        if (divided) expect([...new Set(stuck)].toSorted()).toEqual([...digests].toSorted());
        else expect(digests.size).toBe(1);
      }),
    );
  });

  test('the order of the regions and of the tags does not matter', () => {
    const shuffled = showings.chain((regions) =>
      fc.tuple(
        fc.constant(regions),
        fc.shuffledSubarray(regions, { minLength: regions.length }),
        fc.boolean(),
      ),
    );
    fc.assert(
      fc.property(policies, shuffled, (policy, [regions, reordered, reversed]) => {
        const turned = reordered.map(({ name, tags }) => ({
          name,
          tags: reversed ? tags.toReversed() : tags,
        }));
        const digests = (list: readonly Showing[]) =>
          decide({ root, ifTagExists: policy }, list)
            .flatMap(({ name, decided }) =>
              decided.map(({ tag, after }) => `${name} ${tag} ${after.digest.slice(7, 15)}`),
            )
            .toSorted();
        expect(digests(turned)).toEqual(digests(regions));
      }),
    );
  });
});

describe.each(['fail', 'replace'] as const)('%s', (policy) => {
  test('has all tags show the release, and refuses exactly the immutable ones that show another image', () => {
    fc.assert(
      fc.property(showings, (regions) => {
        for (const { tags, decided } of decide({ root, ifTagExists: policy }, regions)) {
          for (const { tag, shown, rule } of tags) {
            const refused = rule === 'immutable' && shown !== undefined && shown.digest !== root.digest;
            expect(decided.find((each) => each.tag === tag)?.after.digest).toBe(
              refused ? undefined : root.digest,
            );
          }
        }
      }),
    );
  });

  test('changes nothing where the release is shown already', () => {
    expect(changes(policy, showing([root, 'immutable'], [root, 'mutable'], [root, 'unknown']))).toEqual([
      0, 0, 0,
    ]);
  });

  test('attempts to move a tag of which it is not known whether it is immutable', () => {
    expect(changes(policy, showing([other, 'unknown'], [undefined, 'immutable']))).toEqual([1, 1]);
  });

  test('says of a refused tag what it shows, what it should, and what to do', () => {
    const [refused, free] = decide(
      { root, ifTagExists: policy },
      showing([other, 'immutable'], [undefined, 'immutable']),
    );
    expect(refused?.refusal).toBeInstanceOf(TagTakenError);
    expect(refused?.refusal?.message).toBe(
      `the tag "v1" is immutable and shows ${other.digest}, not ${root.digest}: publish under a new tag, set "if-tag-exists: keep", or make the tag mutable`,
    );
    expect(refused?.refusal).toMatchObject({
      taken: [{ tag: 'v1', shown: other.digest, wanted: root.digest, sameImages: false }],
    });
    expect(free?.refusal).toBeUndefined();
  });

  test('points to same-images where the images are the same', () => {
    const [refused] = decide({ root, ifTagExists: policy }, showing([equal, 'immutable']));
    expect(refused?.refusal?.message).toMatch(/: its images are .* "if-tag-exists: same-images"/);
  });
});

describe('same-images', () => {
  const policy = 'same-images';

  test('refuses exactly the immutable tags whose images differ', () => {
    fc.assert(
      fc.property(showings, (regions) => {
        for (const { tags, decided } of decide({ root, ifTagExists: policy }, regions)) {
          for (const { tag, shown, rule } of tags) {
            const refused = rule === 'immutable' && shown !== undefined && !countsAsRoot(shown.digest);
            expect(decided.some((each) => each.tag === tag)).toBe(!refused);
          }
        }
      }),
    );
  });

  test('has no tag show anything but the images of the release', () => {
    fc.assert(
      fc.property(showings, (regions) => {
        const shown = decide({ root, ifTagExists: policy }, regions).flatMap(({ decided }) =>
          decided.map(({ after }) => after.digest),
        );
        expect(shown.every(countsAsRoot)).toBe(true);
      }),
    );
  });

  test('publishes the release where nothing like it is shown', () => {
    const regions = showing([undefined, 'immutable'], [other, 'mutable'], [other, 'unknown']);
    expect(shownAfter(policy, regions)).toEqual([root.digest, root.digest, root.digest]);
  });

  test('takes an image that is shown for the release, and gives it to the others', () => {
    const regions = showing([undefined, 'immutable'], [equal, 'immutable'], [other, 'mutable']);
    expect(shownAfter(policy, regions)).toEqual([equal.digest, equal.digest, equal.digest]);
    expect(changes(policy, regions)).toEqual([1, 0, 1]);
  });

  test('of several takes the one that most regions show, and then the one of the smallest digest', () => {
    const most = showing([equalToo, 'mutable'], [equal, 'mutable'], [equalToo, 'mutable']);
    expect(shownAfter(policy, most)).toEqual([equalToo.digest, equalToo.digest, equalToo.digest]);
    const tied = showing([equalToo, 'mutable'], [equal, 'mutable']);
    expect(shownAfter(policy, tied)).toEqual([equal.digest, equal.digest]);
  });

  test('takes one that cannot move before those that most regions show', () => {
    const regions = showing([equalToo, 'mutable'], [equal, 'immutable'], [equalToo, 'mutable']);
    expect(shownAfter(policy, regions)).toEqual([equal.digest, equal.digest, equal.digest]);
    expect(changes(policy, regions)).toEqual([1, 0, 1]);
  });

  test('leaves different ones where they are when they cannot move, or may not be able to', () => {
    const regions = showing([equalToo, 'immutable'], [equal, 'unknown'], [undefined, 'immutable']);
    expect(shownAfter(policy, regions)).toEqual([equalToo.digest, equal.digest, equalToo.digest]);
    expect(changes(policy, regions)).toEqual([0, 0, 1]);
  });

  test('has every tag show the image that one of them shows', () => {
    const regions = twoTags([equal, 'immutable'], [undefined, 'immutable']);
    expect(TAGS.map((tag) => shownAfter(policy, regions, tag))).toEqual([
      [equal.digest, equal.digest],
      [equal.digest, equal.digest],
    ]);
  });

  test('has free tags follow what may be unable to move rather than what most regions show', () => {
    const regions = [
      ...twoTags([equalToo, 'unknown'], [undefined, 'mutable']),
      ...twoTags([equal, 'mutable'], [undefined, 'mutable']),
    ];
    expect(TAGS.map((tag) => new Set(shownAfter(policy, regions, tag)))).toEqual([
      new Set([equalToo.digest]),
      new Set([equalToo.digest]),
    ]);
  });

  test.each(['immutable', 'unknown'] as const)(
    'has regions agree on a tag that is %s before tags agree',
    (rule) => {
      const regions = twoTags([equalToo, 'immutable'], [equal, rule]);
      const free = twoTags([undefined, rule], [undefined, rule]);
      const all = [...regions, ...free];
      expect(shownAfter(policy, all, 'v1').every((digest) => digest === equalToo.digest)).toBe(true);
      expect(shownAfter(policy, all, 'latest').slice(0, 1)).toEqual([equal.digest]);
      expect(new Set(shownAfter(policy, all, 'latest')).size).toBe(1);
    },
  );

  test('says of a refused tag what to do, which is not what was done already', () => {
    const [refused] = decide({ root, ifTagExists: policy }, showing([other, 'immutable']));
    expect(refused?.refusal?.message).toMatch(/not sha256:\w+: publish under a new tag, set/);
    expect(refused?.refusal?.message).not.toContain('same-images');
  });

  test('takes a single image for the same as none but itself', () => {
    const single = (shown: Manifest, release: Manifest) =>
      decide({ root: release, ifTagExists: policy }, showing([shown, 'immutable'])).map(
        ({ refusal }) => refusal === undefined,
      );
    expect(single(amd64.root, amd64.root)).toEqual([true]);
    expect(single(indexOf([amd64]).root, amd64.root)).toEqual([false]);
    expect(single(amd64.root, indexOf([amd64]).root)).toEqual([false]);
    expect(single(arm64.root, amd64.root)).toEqual([false]);
  });
});

describe('keep', () => {
  const policy = 'keep';

  test('never changes a tag that exists', () => {
    fc.assert(
      fc.property(showings, (regions) => {
        for (const { decided } of decide({ root, ifTagExists: policy }, regions)) {
          for (const { before, after } of decided) if (before) expect(after).toBe(before);
        }
      }),
    );
  });

  test('gives what a tag shows to the regions that lack it, and the release to a tag that is nowhere', () => {
    expect(shownAfter(policy, showing([undefined, 'mutable'], [other, 'mutable']))).toEqual([
      other.digest,
      other.digest,
    ]);
    expect(shownAfter(policy, showing([undefined, 'mutable'], [undefined, 'immutable']))).toEqual([
      root.digest,
      root.digest,
    ]);
  });

  test('refuses a tag that shows different images in the regions that have it, the release or others', () => {
    const regions = showing(
      [other, 'mutable'],
      [undefined, 'mutable'],
      [otherToo, 'mutable'],
      [other, 'unknown'],
    );
    const refusals = decide({ root, ifTagExists: policy }, regions).map(({ refusal }) => refusal?.message);
    const words = `the tag "v1" shows ${other.digest} in region-0, region-3, and ${otherToo.digest} in region-2: a tag that is kept has to show the same everywhere: remove it where it is wrong, publish under a new tag, or set "if-tag-exists" to something else than "keep"`;
    expect(refusals).toEqual([words, undefined, words, words]);
    const withRelease = decide({ root, ifTagExists: policy }, showing([root, 'mutable'], [equal, 'mutable']));
    expect(withRelease.map(({ refusal }) => refusal instanceof TagsDifferError)).toEqual([true, true]);
  });
});

test('regions whose tags could not be read do not count', () => {
  const unread = { name: 'unread', tags: [] };
  expect(decide({ root, ifTagExists: 'keep' }, [unread, ...showing([other, 'mutable'])])).toMatchObject([
    { name: 'unread', decided: [], refusal: undefined },
    { decided: [{ tag: 'v1', after: { digest: other.digest } }] },
  ]);
});

test('without tags nothing is decided', () => {
  expect(decide({ root, ifTagExists: 'same-images' }, [{ name: 'region', tags: [] }])).toEqual([
    { name: 'region', tags: [], decided: [], refusal: undefined },
  ]);
});
