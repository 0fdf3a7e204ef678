import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { BlobStore } from '../../src/distribution/server/blobStore.ts';
import { BlobWriter } from '../../src/distribution/server/blobWriter.ts';
import { DISK_FULL } from '../../src/problems.ts';
import { Spool } from '../../src/release/spool.ts';
import { makeFolder } from '../support/folder.ts';
import { CONTAINER_BUILDER } from './docker.ts';
import { buildGraph, dockerFor, run } from './run.ts';

/** A folder on a disk that takes nothing any more. */
class FullStore extends BlobStore {
  override async begin(): Promise<BlobWriter> {
    const file = {
      writev: async () =>
        Promise.reject(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })),
      read: async () => ({ bytesRead: 0 }),
      close: async () => undefined,
    };
    const path = join(await makeFolder(), 'incoming');
    return new BlobWriter(file, path, { placeOf: () => path, ended: () => undefined });
  }
}

test('a disk that is too small for the layers is told of, and what to do, rather than that the push failed', async () => {
  const docker = dockerFor(CONTAINER_BUILDER, async (args) => {
    // As buildx does: a push that is refused fails the build.
    const failure = await buildGraph(args).then(
      () => undefined,
      (error: Error) => error,
    );
    return { code: failure ? 1 : 0, stdout: '', stderr: String(failure) };
  });
  const spool = new Spool(new FullStore(await makeFolder()));
  await expect(run(docker, { spool })).rejects.toMatchObject({ problems: [DISK_FULL] });
});
