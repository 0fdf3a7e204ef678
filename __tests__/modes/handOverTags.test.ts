import { describe, expect, test } from '@jest/globals';
import type { Values } from '../inputs/read.ts';
import { openEmulated, REGIONS } from '../support/emulated.ts';
import { imageOf } from '../support/images.ts';
import { statesOf } from '../support/services.ts';
import { startFanIn } from './fanIn.ts';

const amd64 = imageOf('linux/amd64');
const arm64 = imageOf('linux/arm64');
const BOTH = 'linux/amd64,linux/arm64';
const PUBLISHED = REGIONS.map(() => 'published');

describe('tags by which legs are handed over', () => {
  test.each(['same-images', 'keep', 'fail', 'replace'])(
    'move with each run, so that its stitch finds them, where "if-tag-exists" is %s',
    async (policy) => {
      const fanIn = await startFanIn();
      const inputs: Values = { legs: 'tags', tags: 'latest', 'if-tag-exists': policy };
      const run = async (runId: string, tags: string) => {
        for (const built of [amd64, arm64]) await fanIn.build(built, { ...inputs, tags }, { runId });
        return fanIn.stitch({ ...inputs, tags, platforms: BOTH }, { runId });
      };
      await run('7', 'latest');
      expect(statesOf(await run('8', 'latest,v2'))).toEqual(PUBLISHED);
    },
  );

  test('that are immutable are still an error where a tag may stay', async () => {
    const fanIn = await startFanIn({ repositories: [] });
    fanIn.emulator.createRepository('team/app', { imageTagMutability: 'IMMUTABLE' });
    const inputs: Values = { legs: 'tags', tags: 'v1', 'if-tag-exists': 'keep' };
    await fanIn.build(amd64, inputs);
    const { digest } = (await (await openEmulated())[0]?.tagged('v1-amd64')) ?? {};
    const outcome = await fanIn.buildOutcome(amd64, inputs, { runId: '8' });
    expect(statesOf(outcome)).toEqual(REGIONS.map(() => 'failed'));
    expect(outcome.results[0]?.error).toContain(digest);
  });
});
