import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import type { Behaviour } from '../../emulator/behaviour.ts';
import type { Emulator } from '../../emulator/emulator.ts';
import { logIn, imageOf as rawImage } from '../emulator/support.ts';
import { emulate } from '../support/emulated.ts';
import { atEnd } from '../support/ends.ts';
import { type Around, mirror, shown, statusesOf } from './act.ts';
import { bothWays } from './fact.ts';
import { indexWith } from './images.ts';

const REGION = 'us-east-1';

/** Another client of the account, which writes so many images at the beginning of each second until the test ends. */
async function rival(emulator: Emulator, each: number): Promise<void> {
  const { pushImage, pushManifest } = await logIn(emulator, REGION);
  const image = rawImage('arm64');
  await pushImage('team/app', image, 'rival');
  let isOver = false;
  const writing = (async () => {
    while (!isOver) {
      await Promise.all(Array.from({ length: each }, () => pushManifest('team/app', 'rival', image)));
      const second = Math.floor(Date.now() / 1_000);
      while (!isOver && Math.floor(Date.now() / 1_000) === second) await sleep(10);
    }
  })();
  atEnd(() => {
    isOver = true;
    return writing;
  });
}

/** Nothing is tried again but what was too much. Times are in milliseconds. */
const UNFORGIVING: Around = {
  services: () => ({ retry: { retries: 0, throttled: 12, silent: 0, minDelay: 1, maxDelay: 5 } }),
};

/** How the quota is counted, and how many images there have to be for it to be too small for both. */
const CASES: readonly (readonly [Behaviour['quotaWindow'], number])[] = [
  ['bucket', 10],
  ['second', 5],
];

/** On a machine that is busy, the writes of one release may come in different seconds. */
const ROUNDS = 8;

for (const [quotaWindow, count] of CASES) {
  bothWays(
    'q-shared',
    'retryAfter',
    `a release gets through while another client writes most images (${quotaWindow})`,
    async (_, behaviour) => {
      const emulator = await emulate({ regions: [REGION], behaviour: { ...behaviour, quotaWindow } });
      await rival(emulator, 7);
      for (let round = 0; round < ROUNDS; round += 1) {
        const index = indexWith(count, ` of ${round}`);
        const { states, errors } = await mirror(index, { regions: REGION }, UNFORGIVING);
        expect([states, errors]).toEqual([['published'], []]);
        expect(await shown(emulator, 'v1', { regions: [REGION] })).toEqual([index.root.digest]);
        if (statusesOf(emulator, 'PUT manifests').includes(429)) return;
      }
      // There is not enough for both: one of them has to wait.
      throw new Error('nobody was ever told to wait');
    },
  );
}
