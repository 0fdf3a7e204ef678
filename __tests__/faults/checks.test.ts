import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Held } from '../../emulator/state/contents.ts';
import { digestOf } from '../../src/image/digest.ts';
import { Problems } from '../../src/problems.ts';
import type { Result } from '../../src/release/result.ts';
import { atEnd } from '../support/ends.ts';
import { makeFolder } from '../support/folder.ts';
import { startElsewhere } from './elsewhere.ts';
import { read } from './expected.ts';
import { apart, brokenIn, leftOf, letterOf, type Shown, unmoved, untrue, wordless } from './invariants.ts';
import { faultsOf } from './judged.ts';
import { NEW, OLD, TAG, TAGS_BESIDE } from './release.ts';
import { TABLE } from './table.ts';

/*
 * The checks of the fault suite, each shown a state that must not be.
 */

const [old, released] = [OLD.root.digest, NEW.root.digest];
const [one, two] = ['us-east-1', 'eu-west-1'];

function resultOf(destination: string, more: Partial<Result>): Result {
  return {
    destination,
    image: 'host/team/app',
    state: 'published',
    digest: released,
    tags: {},
    platforms: [],
    sent: 0,
    reused: 0,
    seconds: 0,
    ...more,
  };
}

function endingOf(...results: Result[]) {
  return { outcome: { digest: released, tags: [TAG], results, metadata: '' } };
}

const shows = (...digests: (typeof old | undefined)[]): Shown =>
  new Map(digests.map((digest, position) => [[one, two][position] ?? '', digest]));

describe('what a tag shows', () => {
  const whole: Held = {
    tags: new Map([[TAG, released]]),
    manifests: NEW.manifests,
    blob: async (digest) => Buffer.from(NEW.blobs.get(digest) ?? []),
  };
  const broken = (held: Partial<Held>) => brokenIn({ look: () => ({ ...whole, ...held }) }, one);
  const [blob] = [...NEW.blobs.keys()];

  test('is found to be whole where it is', async () => {
    expect(await broken({})).toEqual([]);
  });

  test('is found to lack a manifest', async () => {
    const [, child, ...others] = [...NEW.manifests.values()].map((each) => [each.digest, each] as const);
    const rest = new Map(NEW.manifests);
    rest.delete(child?.[0] ?? released);
    expect(others).toHaveLength(1);
    expect(await broken({ manifests: rest })).toEqual([`${one} lacks the manifest ${child?.[0]}`]);
  });

  test('is found to lack a blob, or to have a wrong one', async () => {
    const lacking = async (digest: string) =>
      digest === blob
        ? undefined
        : whole.blob(digestOf(NEW.blobs.get(digest as typeof released) ?? new Uint8Array()));
    expect(await broken({ blob: lacking })).toContain(`${one} lacks the blob ${blob}`);
    const wrong = async () => Buffer.from('other');
    expect(await broken({ blob: wrong })).toContain(`${one} has a wrong blob ${blob}`);
  });
});

describe('tags', () => {
  const showing = (tags: Held['tags']) => ({
    look: (): Held => ({ tags, manifests: NEW.manifests, blob: async () => undefined }),
  });
  const ending = endingOf(resultOf(one, {}));

  test('that are kept are found to have moved', () => {
    expect(unmoved(showing(new Map([[TAG, old]])), [one])).toEqual([]);
    expect(unmoved(showing(new Map([[TAG, released]])), [one])).toHaveLength(1);
    expect(unmoved(showing(new Map()), [one])).toHaveLength(1);
  });

  test('beside the release are found where they have not moved with it, or without it', () => {
    const beside = TAGS_BESIDE.map((tag) => [tag, released] as const);
    const all = new Map([[TAG, released], ...beside]);
    expect(apart(showing(all), [one], TAGS_BESIDE, ending)).toEqual([]);
    expect(apart(showing(new Map([[TAG, old]])), [one], TAGS_BESIDE, ending)).toEqual([]);
    expect(apart(showing(new Map([[TAG, released]])), [one], TAGS_BESIDE, ending)).toHaveLength(2);
    expect(apart(showing(new Map([...all, [TAG, old]])), [one], TAGS_BESIDE, ending)).toHaveLength(2);
    const told = endingOf(resultOf(one, { state: 'failed', uncertain: TAGS_BESIDE }));
    expect(apart(showing(new Map([[TAG, released]])), [one], TAGS_BESIDE, told)).toEqual([]);
  });
});

describe('a release', () => {
  const failed = resultOf(two, { state: 'failed', error: 'it failed' });

  test.each([
    [
      'published in one region alone, with nothing said',
      endingOf(resultOf(one, {}), resultOf(two, {})),
      shows(released, old),
    ],
    [
      'that shows what nobody asked for',
      endingOf(resultOf(one, {}), resultOf(two, {})),
      shows(released, digestOf(Buffer.from('x'))),
    ],
    ['that was stopped, and shows something new', { error: new Problems(['no']) }, shows(released, old)],
  ])('%s has no outcome that may be expected', (_, ending, shown) => {
    expect(letterOf(ending, shown, old)).toBe('?');
  });

  test('is told apart by what is shown and said', () => {
    expect(letterOf(endingOf(resultOf(one, {}), resultOf(two, {})), shows(released, released), old)).toBe(
      'R',
    );
    expect(letterOf(endingOf(resultOf(one, { state: 'held back' }), failed), shows(old, old), old)).toBe('H');
    expect(letterOf(endingOf(resultOf(one, {}), failed), shows(released, released), old)).toBe('V');
    expect(letterOf(endingOf(resultOf(one, { state: 'held back' }), failed), shows(old, released), old)).toBe(
      'U',
    );
    expect(letterOf({ error: new Problems(['no']) }, shows(old, old), old)).toBe('S');
  });

  test('is not believed what is not so', () => {
    expect(untrue([resultOf(one, { state: 'held back' })], shows(released), old)).toHaveLength(1);
    expect(untrue([resultOf(one, {})], shows(old), old)).toHaveLength(1);
    expect(untrue([resultOf(one, {})], shows(released, released), old)).toEqual([
      `nothing is said of ${two}`,
    ]);
    expect(untrue([resultOf(one, { tags: { [TAG]: old } })], shows(released), old)).toHaveLength(1);
    expect(untrue([resultOf(one, { state: 'held back' }), failed], shows(old, released), old)).toHaveLength(
      1,
    );
    const told = { ...failed, error: 'v1 may show the new image, for it could not be put back' };
    expect(untrue([resultOf(one, { state: 'held back' }), told], shows(old, released), old)).toEqual([]);
  });

  test('that fails has to say where, at what, and what to do', () => {
    const complete =
      'eu-west-1: team/app: GET https://host/v2/team/app/manifests/v1 answered 500 (run it again)';
    const said = (error: string) => wordless(endingOf(resultOf(two, { state: 'failed', error })));
    expect(said(complete)).toEqual([]);
    for (const part of ['eu-west-1: ', 'team/app', 'GET', ' (run it again)']) {
      expect(said(complete.replaceAll(part, ''))).toHaveLength(1);
    }
    expect(wordless({ error: new Error('what') })).toHaveLength(1);
  });
});

describe('what is left', () => {
  test('is found: a file, one that is open, a connection', async () => {
    const dir = await makeFolder();
    await writeFile(join(dir, 'half'), 'a blob');
    const file = await open(join(dir, 'half'));
    atEnd(() => file.close());
    const left = await leftOf({
      dir,
      leave: async () => undefined,
      emulator: { connections: async () => 2 },
    });
    expect(left).toContain('2 connections are open');
    expect(left).toContain("half is left in the step's folder");
    if (process.platform === 'linux') expect(left).toContain(`${join(dir, 'half')} is open`);
  });

  test('elsewhere is found: credentials', async () => {
    const elsewhere = await startElsewhere('127.0.0.1', () => undefined);
    atEnd(() => elsewhere.close());
    await fetch(`${elsewhere.url}/x`, { headers: { authorization: 'Basic secret' } });
    expect(elsewhere.leaked).toEqual(['GET /x: authorization']);
  });
});

describe('the table', () => {
  test('has to have every step, and every kind of fault', () => {
    const lines = TABLE.trim().split('\n');
    expect(() => read(lines.slice(0, -1).join('\n'))).toThrow('the table has other steps');
    const shorter = lines.map((line) => line.slice(0, line.lastIndexOf('|')));
    expect(() => read(shorter.join('\n'))).toThrow('the table has other kinds');
  });

  test('has to have an outcome for each span, or a reason', () => {
    const entry = (text: string) => TABLE.replace(/\| R\. +\|/, `| ${text} |`);
    for (const text of ['R', 'RR', 'z', '..'])
      expect(() => read(entry(text))).toThrow('is neither the outcomes');
  });

  test('is what a cell is held against', () => {
    const cell = { step: 'tag write', kind: '500', span: 'once', said: [], complaints: [] } as const;
    expect(faultsOf({ ...cell, letter: 'R' })).toEqual([]);
    expect(faultsOf({ ...cell, letter: 'H' })).toHaveLength(1);
    expect(faultsOf({ ...cell, letter: 'R', complaints: ['a blob is missing'] })).toHaveLength(1);
  });
});
