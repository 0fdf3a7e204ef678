import { describe, expect, test } from '@jest/globals';
import { allAgree, anyAgrees, Holdings } from '../../src/release/holdings.ts';
import { imageOf, indexOf } from '../support/images.ts';
import { MemoryDestination, turn } from '../support/memory.ts';

const image = imageOf('linux/amd64');
const index = indexOf([image]);
const [layer, content] = [...image.blobs][0] ?? [];
if (!layer || !content) throw new Error('the image has no blob');

const yes = Promise.resolve(true);
const no = Promise.resolve(false);
const never = new Promise<boolean>(() => {});

describe('what a destination holds', () => {
  test('is asked once, however many want to know, now or later', async () => {
    const destination = new MemoryDestination('region', index);
    const holdings = new Holdings(destination);
    const ask = () => Promise.all([holdings.blob(layer), holdings.manifest(index.root.digest)]);
    const answers = [...(await Promise.all([ask(), ask()])), await ask()];
    expect(answers).toEqual(Array(3).fill([content.byteLength, true]));
    expect(destination.operations).toEqual([`stat ${layer}`, `has ${index.root.digest}`]);
  });

  test('is asked once, too, where the answer is that it lacks it', async () => {
    const destination = new MemoryDestination('empty');
    const holdings = new Holdings(destination);
    for (const _ of [1, 2]) {
      expect(await holdings.blob(layer)).toBeUndefined();
      expect(await holdings.manifest(image.root.digest)).toBe(false);
    }
    expect(destination.operations).toHaveLength(2);
  });

  test('is asked again after a failure, which all who waited are told', async () => {
    const destination = new MemoryDestination('region', index);
    const holdings = new Holdings(destination);
    const ask = () => [holdings.blob(layer), holdings.manifest(index.root.digest)];
    destination.before = () => {
      throw new Error('is down');
    };
    const outcomes = await Promise.allSettled([...ask(), ...ask()]);
    expect(outcomes.map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
    expect(destination.operations).toHaveLength(2);
    destination.before = () => undefined;
    expect(await Promise.all(ask())).toEqual([content.byteLength, true]);
  });

  test('is known without a question for a manifest that was learned of, and for all blobs below it', async () => {
    const destination = new MemoryDestination('region');
    const holdings = new Holdings(destination);
    holdings.learn(index.root);
    holdings.learn(image.root);
    for (const digest of index.manifests.keys()) expect(await holdings.manifest(digest)).toBe(true);
    for (const [digest, { byteLength }] of image.blobs) expect(await holdings.blob(digest)).toBe(byteLength);
    expect(destination.operations).toEqual([]);
  });

  test('is what was learned, though an earlier question fails afterwards', async () => {
    const destination = new MemoryDestination('region');
    destination.before = async () => {
      await turn();
      throw new Error('is down');
    };
    const holdings = new Holdings(destination);
    const asked = holdings.blob(layer);
    holdings.learn(image.root);
    await expect(asked).rejects.toThrow('is down');
    expect(await holdings.blob(layer)).toBe(content.byteLength);
    expect(destination.operations).toHaveLength(1);
  });
});

describe('a blob that most likely has to be sent', () => {
  test('is one that is being asked for where a manifest is lacking', async () => {
    const destination = new MemoryDestination('region');
    destination.blobs.set(layer, content);
    const holdings = new Holdings(destination);
    expect(holdings.mayLack(layer)).toBe(false);
    await holdings.manifest(image.root.digest);
    expect(holdings.mayLack(layer)).toBe(true);
    const asked = holdings.blob(layer);
    expect(holdings.mayLack(layer)).toBe(true);
    await asked;
    expect(holdings.mayLack(layer)).toBe(false);
  });

  test('is none where nothing is known to be lacking, nor one that was learned of', async () => {
    const holdings = new Holdings(new MemoryDestination('region', index));
    await holdings.manifest(index.root.digest);
    expect(holdings.mayLack(layer)).toBe(false);
    const other = new Holdings(new MemoryDestination('empty'));
    await other.manifest(index.root.digest);
    other.learn(image.root);
    expect(other.mayLack(layer)).toBe(false);
  });
});

describe('all agree', () => {
  test('when every one says yes, or nobody was asked', async () => {
    expect(await allAgree([yes, yes])).toBe(true);
    expect(await allAgree([])).toBe(true);
  });

  test.each([
    ['says no', () => no],
    ['cannot tell', () => Promise.reject(new Error('is down'))],
  ])('is known to be false as soon as one %s, though others never answer', async (_, answer) => {
    expect(await allAgree([never, yes, answer(), never])).toBe(false);
  });

  test('waits for the last one', async () => {
    const last = Promise.withResolvers<boolean>();
    let settled = false;
    const all = allAgree([yes, last.promise]).finally(() => {
      settled = true;
    });
    await turn();
    expect(settled).toBe(false);
    last.resolve(true);
    expect(await all).toBe(true);
  });
});

describe('one agrees', () => {
  test('as soon as the first says yes, though others say no, fail or never answer', async () => {
    await anyAgrees([no, Promise.reject(new Error('is down')), never, yes]);
  });

  test('fails when nobody does', async () => {
    const answers = [no, Promise.reject(new Error('is down'))];
    await expect(anyAgrees(answers)).rejects.toThrow(AggregateError);
    await expect(anyAgrees([])).rejects.toThrow(AggregateError);
  });
});
