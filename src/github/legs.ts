import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactClient } from '@actions/artifact';
import pLimit from 'p-limit';
import { safeJson } from '../distribution/errors.ts';
import { readFileAtMost } from '../files.ts';
import { formatPlatform } from '../image/platform.ts';
import type { LegStore } from '../modes/services.ts';
import { allOrProblems, DISK_FULL, isDiskFull, Problems } from '../problems.ts';
import { type Leg, LegError, readLeg } from '../release/leg.ts';

const PREFIX = 'ecr-multiarch-leg';
/** What {@link artifactName} gives: other artifacts are none of ours, however they are named. */
const OURS = new RegExp(`^${PREFIX}-.*-[0-9a-f]{12}-\\d+$`);
const FILE = 'leg.json';
const DOWNLOADS = 8;
/** The most that a leg has, in bytes, and its artifact, which is packed: one of a few platforms has a few thousand. */
const MAX_LEG_BYTES = 1024 * 1024;
const MAX_ARTIFACT_BYTES = 512 * 1024;

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
      const [dir, path] = await writeRecord(leg, tempDir);
      const client = await open();
      await client.uploadArtifact(artifactName(leg), [path], dir).catch((error: Error) => {
        throw new Problems([
          `the leg could not be handed over as a workflow artifact: ${error.message}; this works on github.com alone; elsewhere write "legs: tags", or hand the step's output "digest" over yourself; with "legs: none" nothing is handed over`,
        ]);
      });
    },
    async list() {
      const client = await open();
      const { artifacts } = await client.listArtifacts().catch(collectFailed);
      const limit = pLimit(DOWNLOADS);
      return allOrProblems(
        artifacts
          .filter(({ name }) => OURS.test(name))
          .map(async ({ id, name, size }) => {
            assertSmall(name, size);
            return limit(() => download(client, id, name, tempDir));
          }),
      );
    },
  };
}

/** @returns the record's folder and file */
async function writeRecord(leg: Leg, tempDir: string): Promise<[dir: string, path: string]> {
  try {
    const dir = await mkdtemp(join(tempDir, 'leg-'));
    const path = join(dir, FILE);
    await writeFile(path, JSON.stringify(leg));
    return [dir, path];
  } catch (error) {
    if (isDiskFull(error)) throw new Problems([DISK_FULL], { cause: error });
    throw error;
  }
}

/**
 * A name that no other artifact of the run has, whatever the leg has in common with others: jobs of two calls of a reusable
 * workflow are called the same, and "re-run all jobs" keeps the artifacts of the attempt before. The beginning is for people.
 */
export function artifactName(leg: Leg): string {
  const platforms = leg.images.map(({ descriptor }) => formatPlatform(descriptor.platform)).join('_');
  const readable = `${leg.repository}-${platforms}`.replace(/[^a-zA-Z0-9._]+/g, '-').slice(0, 120);
  return `${PREFIX}-${readable}-${randomBytes(6).toString('hex')}-${leg.runAttempt}`;
}

/** What is unpacked may be a thousand times as much. */
function assertSmall(name: string, size: number): void {
  if (size <= MAX_ARTIFACT_BYTES) return;
  throw new Problems([
    `the artifact ${name} has ${size} bytes, which no leg has: let no other artifact have a name that begins with "${PREFIX}"`,
  ]);
}

async function download(client: Artifacts, id: number, name: string, tempDir: string): Promise<Leg> {
  const path = join(tempDir, 'legs', String(id));
  await mkdir(path, { recursive: true });
  await client.downloadArtifact(id, { path }).catch(collectFailed);
  const text = await readFileAtMost(join(path, FILE), MAX_LEG_BYTES).catch(() => '');
  try {
    return readLeg(safeJson(text.toString()));
  } catch (error) {
    if (!(error instanceof LegError)) throw error;
    throw new Problems([`the artifact ${name} ${error.message}`]);
  }
}

function collectFailed(error: Error): never {
  throw new Problems([
    `the legs of this run could not be collected from its workflow artifacts: ${error.message}; this works in workflows on github.com alone; elsewhere write "legs: tags", in the build jobs and here`,
  ]);
}
