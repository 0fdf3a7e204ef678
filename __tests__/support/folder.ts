import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from './ends.ts';

/** An empty folder that is gone after the test. */
export async function makeFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'ecr-multiarch-test-'));
  atEnd(() => rm(dir, { recursive: true, force: true, maxRetries: 3 }));
  return dir;
}
