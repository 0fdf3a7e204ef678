import { expect, test } from '@jest/globals';
import { BlobStore } from '../../src/distribution/server/blobStore.ts';
import { DISK_FULL } from '../../src/problems.ts';
import { Spool } from '../../src/release/spool.ts';
import { makeFolder } from '../support/folder.ts';
import { CONTAINER_BUILDER } from './docker.ts';
import { buildGraph, dockerFor, run } from './run.ts';

/** A file on a disk that takes nothing any more. */
const FULL = {
  writev: async () => Promise.reject(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })),
  read: async () => ({ bytesRead: 0 }),
  close: async () => undefined,
};

test('a disk that is too small for the layers is told of, and what to do, rather than that the push failed', async () => {
  const docker = dockerFor(CONTAINER_BUILDER, async (args) => {
    // As buildx does: a push that is refused fails the build.
    const failure = await buildGraph(args).then(
      () => undefined,
      (error: Error) => error,
    );
    return { code: failure ? 1 : 0, stdout: '', stderr: String(failure) };
  });
  const spool = new Spool(new BlobStore(await makeFolder(), async () => FULL));
  await expect(run(docker, { spool })).rejects.toMatchObject({ problems: [DISK_FULL] });
});
