import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactClient } from '@actions/artifact';
import pLimit from 'p-limit';
import * as z from 'zod/mini';
import { formatPlatform } from '../image/platform.ts';
import type { LegStore } from '../modes/services.ts';
import { Problems } from '../problems.ts';
import { type Leg, legSchema } from '../release/leg.ts';

const PREFIX = 'ecr-multiarch-leg';
/** What {@link artifactName} gives: other artifacts are none of ours, however they are named. */
const OURS = new RegExp(`^${PREFIX}-.*-[0-9a-f]{12}-\\d+$`);
const FILE = 'leg.json';
const DOWNLOADS = 8;

/** The parts of the artifact client that legs need. */
type Artifacts = Pick<ArtifactClient, 'uploadArtifact' | 'listArtifacts' | 'downloadArtifact'>;

/**
 * Hands legs over as artifacts of the workflow run, one a leg.
 * @param open gives the client when it is first needed: loading it takes longer than starting the action
 * @param tempDir a folder of this run's own
 */
export function artifactLegs(open: () => Promise<Artifacts>, tempDir: string): LegStore {
  return {
    async save(leg) {
      const dir = await mkdtemp(join(tempDir, 'leg-'));
      const path = join(dir, FILE);
      await writeFile(path, JSON.stringify(leg));
      const client = await open();
      await client.uploadArtifact(artifactName(leg), [path], dir).catch((error: Error) => {
        throw new Problems([
          `the leg could not be handed over as a workflow artifact: ${error.message}; this works on github.com alone, and once for a platform of a repository in each job; with "legs: none" nothing is handed over`,
        ]);
      });
    },
    async list() {
      const client = await open();
      const { artifacts } = await client.listArtifacts().catch(collectFailed);
      const limit = pLimit(DOWNLOADS);
      return Promise.all(
        artifacts
          .filter(({ name }) => OURS.test(name))
          .map(({ id, name }) => limit(() => download(client, id, name, tempDir))),
      );
    },
  };
}

/**
 * A name that no other leg of the run has: of another repository, another job, another platform, or another attempt,
 * for "re-run all jobs" keeps the artifacts of the attempt before.
 */
export function artifactName(leg: Leg): string {
  const platforms = leg.images.map(({ descriptor }) => formatPlatform(descriptor.platform)).join('_');
  const identity = JSON.stringify([leg.repository, leg.job, leg.jobIndex ?? null, platforms]);
  const hash = createHash('sha256').update(identity).digest('hex').slice(0, 12);
  const readable = `${leg.repository}-${platforms}`.replace(/[^a-zA-Z0-9._]+/g, '-').slice(0, 120);
  return `${PREFIX}-${readable}-${hash}-${leg.runAttempt}`;
}

async function download(client: Artifacts, id: number, name: string, tempDir: string): Promise<Leg> {
  const path = join(tempDir, 'legs', String(id));
  await mkdir(path, { recursive: true });
  await client.downloadArtifact(id, { path }).catch(collectFailed);
  const leg = await readFile(join(path, FILE), 'utf8')
    .then((text): unknown => JSON.parse(text))
    .catch(() => undefined);
  const parsed = z.safeParse(legSchema, leg);
  if (parsed.success) return parsed.data;
  throw new Problems([
    `the artifact ${name} is no leg that this version can read: use the same version of this action in all jobs`,
  ]);
}

function collectFailed(error: Error): never {
  throw new Problems([
    `the legs of this run could not be collected from its workflow artifacts: ${error.message}; this works in workflows on github.com alone`,
  ]);
}
