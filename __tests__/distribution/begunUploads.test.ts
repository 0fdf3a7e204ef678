import { describe, expect, jest, test } from '@jest/globals';
import { BegunUploads } from '../../src/distribution/begunUploads.ts';
import { digestOf } from '../../src/image/digest.ts';
import { atEnd } from '../support/ends.ts';
import { turn } from '../support/memory.ts';

const target = (id: number) => new URL(`http://127.0.0.1/uploads/${id}`);

/** A blob of so many bytes. */
const blob = (size: number) => ({ digest: digestOf(Buffer.from(`blob ${size}`)), size });

/** A registry whose answers come when they are told to, each to one that began an upload. */
function start() {
  const asked: PromiseWithResolvers<URL>[] = [];
  const uploads = new BegunUploads();
  const begin = () => {
    const answer = Promise.withResolvers<URL>();
    asked.push(answer);
    return answer.promise;
  };
  return {
    uploads,
    asked,
    expectBlob: (size: number) => uploads.expect(blob(size), begin),
    take: (size: number) => uploads.take(blob(size), begin),
    async answer(id: number) {
      asked[id]?.resolve(target(id));
      await turn();
    },
    async refuse(id: number) {
      asked[id]?.reject(new Error(`busy ${id}`));
      await turn();
    },
  };
}

describe('uploads that blobs wait for', () => {
  test('go to the largest blob first, whichever asked first', async () => {
    const { asked, take, answer } = start();
    const [small, large, middle] = [take(1), take(60), take(30)];
    expect(asked).toHaveLength(3);
    for (const id of [0, 1, 2]) await answer(id);
    expect(await Promise.all([large, middle, small])).toEqual([target(0), target(1), target(2)]);
  });

  test('are kept for a larger blob that is expected, while a smaller one waits for its own', async () => {
    const { asked, expectBlob, take, answer } = start();
    expectBlob(60);
    const small = take(1);
    expect(asked).toHaveLength(2);
    await answer(0);
    await answer(1);
    expect(await small).toEqual(target(1));
    expect(await take(60)).toEqual(target(0));
    expect(asked).toHaveLength(2);
  });

  test('are those that were begun ahead, when the blobs come that were expected', async () => {
    const { asked, expectBlob, take, answer } = start();
    for (const size of [1, 60]) expectBlob(size);
    await answer(0);
    const small = take(1);
    await answer(1);
    expect(await take(60)).toEqual(target(0));
    expect(await small).toEqual(target(1));
    expect(asked).toHaveLength(2);
  });

  test('go by the size of an expected blob from when that is known', async () => {
    const { uploads, asked, expectBlob, take, answer } = start();
    uploads.expect({ digest: blob(60).digest }, () => Promise.reject(new Error('none')));
    expectBlob(30);
    expectBlob(60);
    await answer(0);
    expect(await take(60)).toEqual(target(0));
    expect(asked).toHaveLength(1);
  });

  test('fail for the smallest blob, when one cannot be begun', async () => {
    const { take, answer, refuse } = start();
    const [large, small] = [take(60), take(1)];
    const failed = expect(small).rejects.toThrow('busy 0');
    await refuse(0);
    await failed;
    await answer(1);
    expect(await large).toEqual(target(1));
  });

  test('fail for all blobs, each once, when none can be begun', async () => {
    const { asked, take, refuse } = start();
    const taken = Promise.allSettled([1, 2, 3].map(take));
    for (const id of [0, 1, 2]) await refuse(id);
    const failed = (await taken).map((each) => (each.status === 'rejected' ? each.reason.message : 'begun'));
    expect(failed).toEqual(['busy 0', 'busy 1', 'busy 2']);
    expect(asked).toHaveLength(3);
  });

  test('are begun by a blob that waits, when those could not be that were begun ahead', async () => {
    const { asked, expectBlob, take, answer, refuse } = start();
    expectBlob(1);
    const taken = take(1);
    await refuse(0);
    expect(asked).toHaveLength(2);
    await answer(1);
    expect(await taken).toEqual(target(1));
  });

  test('that could not be begun while nobody waited are nobody’s failure', async () => {
    const { asked, expectBlob, take, answer, refuse } = start();
    expectBlob(1);
    await refuse(0);
    const taken = take(1);
    expect(asked).toHaveLength(2);
    await answer(1);
    expect(await taken).toEqual(target(1));
  });

  test('are begun anew when those are too old that were begun ahead', async () => {
    const { asked, expectBlob, take, answer } = start();
    expectBlob(1);
    await answer(0);
    const began = performance.now();
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => began + 31_000);
    atEnd(() => clock.mockRestore());
    const taken = take(1);
    await answer(1);
    expect(await taken).toEqual(target(1));
    expect(asked).toHaveLength(2);
  });

  test('are for two that have the same blob two of them', async () => {
    const { take, answer } = start();
    const taken = [take(1), take(1)];
    await answer(0);
    await answer(1);
    expect((await Promise.all(taken)).map(String).toSorted()).toEqual([target(0), target(1)].map(String));
  });
});
