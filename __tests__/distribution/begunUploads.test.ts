import { describe, expect, test } from '@jest/globals';
import { BegunUploads } from '../../src/distribution/begunUploads.ts';

const target = (id: number) => new URL(`http://127.0.0.1/uploads/${id}`);

/** A registry whose answers come when they are told to, each to one that began an upload. */
function registry() {
  const asked: PromiseWithResolvers<URL>[] = [];
  return {
    asked,
    begin: () => {
      const answer = Promise.withResolvers<URL>();
      asked.push(answer);
      return answer.promise;
    },
  };
}

describe('uploads that blobs wait for', () => {
  test('go to the largest blob first, whichever asked first', async () => {
    const uploads = new BegunUploads();
    const { asked, begin } = registry();
    const order: string[] = [];
    const blobs = [
      ['small', 1],
      ['large', 60],
      ['middle', 30],
    ] as const;
    const taken = blobs.map(async ([name, size]) => {
      const { pathname } = await uploads.take(size, begin);
      order.push(`${name} ${pathname}`);
    });
    expect(asked).toHaveLength(3);
    for (const [id, answer] of asked.entries()) {
      answer.resolve(target(id));
      await answer.promise;
    }
    await Promise.all(taken);
    expect(order).toEqual(['large /uploads/0', 'middle /uploads/1', 'small /uploads/2']);
  });

  test('that were begun ahead are waited for, rather than others begun', async () => {
    const uploads = new BegunUploads();
    const { asked, begin } = registry();
    uploads.expect(begin);
    const taken = [uploads.take(1, begin), uploads.take(2, begin)];
    expect(asked).toHaveLength(2);
    asked[0]?.resolve(target(0));
    expect(await taken[1]).toEqual(target(0));
    asked[1]?.resolve(target(1));
    expect(await taken[0]).toEqual(target(1));
  });

  test('fail for the smallest blob, when one cannot be begun', async () => {
    const uploads = new BegunUploads();
    const { asked, begin } = registry();
    const [large, small] = [uploads.take(60, begin), uploads.take(1, begin)];
    asked[0]?.reject(new Error('busy'));
    await expect(small).rejects.toThrow('busy');
    asked[1]?.resolve(target(1));
    expect(await large).toEqual(target(1));
  });

  test('fail for all blobs, each once, when none can be begun', async () => {
    const uploads = new BegunUploads();
    const { asked, begin } = registry();
    const taken = [1, 2, 3].map((size) => uploads.take(size, begin));
    for (const [count, { reject }] of asked.entries()) reject(new Error(`busy ${count}`));
    const failed = (await Promise.allSettled(taken)).map((each) =>
      each.status === 'rejected' ? each.reason.message : 'begun',
    );
    expect(failed).toEqual(['busy 0', 'busy 1', 'busy 2']);
    expect(asked).toHaveLength(3);
  });

  test('are begun by a blob that waits, when those could not be that were begun ahead', async () => {
    const uploads = new BegunUploads();
    const { asked, begin } = registry();
    uploads.expect(begin);
    const taken = uploads.take(1, begin);
    asked[0]?.reject(new Error('busy'));
    await expect(asked[0]?.promise).rejects.toThrow('busy');
    expect(asked).toHaveLength(2);
    asked[1]?.resolve(target(1));
    expect(await taken).toEqual(target(1));
  });

  test('that failed while nobody waited are nobody’s failure', async () => {
    const uploads = new BegunUploads();
    const { asked, begin } = registry();
    uploads.expect(begin);
    asked[0]?.reject(new Error('busy'));
    await expect(asked[0]?.promise).rejects.toThrow('busy');
    const taken = uploads.take(1, begin);
    asked[1]?.resolve(target(1));
    expect(await taken).toEqual(target(1));
  });

  test('are begun ahead only as far as those under way are not waited for', () => {
    const uploads = new BegunUploads();
    const { asked, begin } = registry();
    const waiting = [uploads.take(1, begin), uploads.take(1, begin)];
    for (let count = 0; count < 5; count += 1) uploads.expect(begin);
    expect(asked).toHaveLength(5);
    expect(waiting).toHaveLength(2);
  });
});
