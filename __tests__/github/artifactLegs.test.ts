import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { type ArtifactService, startArtifactService } from '../../emulator/github/artifactService.ts';
import { artifactLegs } from '../../src/github/legs.ts';
import type { LegStore } from '../../src/modes/services.ts';
import { Problems } from '../../src/problems.ts';
import type { Leg } from '../../src/release/leg.ts';
import { atEnd } from '../support/ends.ts';
import { setEnvironment } from '../support/environment.ts';
import { makeFolder } from '../support/folder.ts';
import { silenceOutput } from '../support/silence.ts';
import { legOf } from './legs.ts';

const client = async () => (await import('@actions/artifact')).default;
let service: ArtifactService;

beforeEach(async () => {
  service = await startArtifactService();
  atEnd(() => service.close());
  // The artifact client tells of its uploads by itself.
  silenceOutput();
});

/** What the runner gives to a job of the run. */
async function enterJob(job: string, attempt = 1, runId = '4711'): Promise<LegStore> {
  setEnvironment({
    ACTIONS_RESULTS_URL: service.url,
    ACTIONS_RUNTIME_TOKEN: service.token(runId, job, attempt),
  });
  return artifactLegs(client, await makeFolder());
}

async function upload(name: string, file: string, text: string): Promise<void> {
  const dir = await makeFolder();
  await writeFile(join(dir, file), text);
  await (await client()).uploadArtifact(name, [join(dir, file)], dir);
}

describe('legs as artifacts', () => {
  test('come back as they were handed over, whatever job asks', async () => {
    const legs = [
      legOf(['linux/amd64'], { jobIndex: 0, jobTotal: 2 }),
      legOf(['linux/arm64', 'linux/arm/v7']),
    ];
    for (const leg of legs) await (await enterJob('build')).save(leg);
    const list = await (await enterJob('stitch')).list();
    expect(list).toEqual(expect.arrayContaining(legs));
    expect(list).toHaveLength(2);
  });

  test('of another attempt stand beside the earlier ones', async () => {
    const leg = legOf(['linux/amd64']);
    await (await enterJob('build', 1)).save(leg);
    await (await enterJob('build', 2)).save({ ...leg, runAttempt: 2 });
    const attempts = (await (await enterJob('stitch', 2)).list()).map(({ runAttempt }) => runAttempt);
    expect(attempts.toSorted()).toEqual([1, 2]);
  });

  test('of another run are not seen', async () => {
    await (await enterJob('build', 1, '4712')).save(legOf(['linux/amd64']));
    expect(await (await enterJob('stitch')).list()).toEqual([]);
  });

  test('are not mixed up with other artifacts of the run', async () => {
    const store = await enterJob('build');
    await upload('coverage', 'leg.json', '{}');
    expect(await store.list()).toEqual([]);
  });

  test.each<[string, Leg, Leg]>([
    [
      'from two calls of a reusable workflow',
      legOf(['linux/amd64'], { call: 'a' }),
      legOf(['linux/amd64'], { call: 'b' }),
    ],
    [
      'for two regions',
      legOf(['linux/amd64'], { destinations: ['a'] }),
      legOf(['linux/amd64'], { destinations: ['b'] }),
    ],
    ['of two steps of a job', legOf(['linux/amd64']), legOf(['linux/amd64'], { builder: 'another' })],
    ['that are the same', legOf(['linux/amd64']), legOf(['linux/amd64'])],
    [
      'of two images',
      legOf(['linux/amd64'], { repository: 'team/app' }),
      legOf(['linux/amd64'], { repository: 'team-app' }),
    ],
  ])('%s do not get in the way of each other', async (_, one, other) => {
    const store = await enterJob('build');
    await store.save(one);
    await store.save(other);
    const list = await (await enterJob('stitch')).list();
    expect(list).toHaveLength(2);
    expect(list).toEqual(expect.arrayContaining([one, other]));
  });

  test.each([
    ['that is no JSON', 'leg.json', '{"schema":'],
    ['that is another file', 'other.json', '{}'],
  ])("an artifact %s under a leg's name is refused by its name", async (_, file, text) => {
    const store = await enterJob('stitch');
    await upload('ecr-multiarch-leg-x-0123456789ab-1', file, text);
    const refusal = await store.list().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Problems);
    expect(String(refusal)).toContain(
      'the artifact ecr-multiarch-leg-x-0123456789ab-1 is no leg that this version can read',
    );
  });

  test('of another version are refused, all of them at once', async () => {
    const store = await enterJob('stitch');
    for (const version of [2, 3]) {
      const schema = `ecr-multiarch/leg/v${version}`;
      await upload(`ecr-multiarch-leg-x-0123456789a${version}-1`, 'leg.json', JSON.stringify({ schema }));
    }
    const refusal = await store.list().catch((error: unknown) => error);
    expect(refusal instanceof Problems && refusal.problems).toEqual([
      'the artifact ecr-multiarch-leg-x-0123456789a2-1 is no leg that this version can read, but one of v2 rather than v1: use the same version of this action in all jobs',
      'the artifact ecr-multiarch-leg-x-0123456789a3-1 is no leg that this version can read, but one of v3 rather than v1: use the same version of this action in all jobs',
    ]);
  });

  test('without an artifact service say what they need', async () => {
    setEnvironment({ ACTIONS_RESULTS_URL: undefined, ACTIONS_RUNTIME_TOKEN: undefined });
    const store = artifactLegs(client, await makeFolder());
    await expect(store.list()).rejects.toThrow(/could not be collected.*in workflows on github.com alone/);
    await expect(store.save(legOf(['linux/amd64']))).rejects.toThrow(
      /could not be handed over.*write "legs: tags".*"legs: none"/,
    );
  });
});
