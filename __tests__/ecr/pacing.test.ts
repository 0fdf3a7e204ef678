import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type PacedOperation, QUOTAS } from '../../src/ecr/operations.ts';
import { Pacer } from '../../src/ecr/pacing.ts';
import { FakeClock } from './clock.ts';

const PUT: readonly PacedOperation[] = ['PutImage'];
const READ: readonly PacedOperation[] = ['BatchGetImage'];
/** In what time no more is sent than 90 % of the quota of a second, in milliseconds. */
const WINDOW = 1_200;

/** A pacer with so many PutImage a second, and a clock of its own. */
function start(quota: number = QUOTAS.PutImage, late?: () => number) {
  const clock = new FakeClock(late);
  const pacer = new Pacer({ ...QUOTAS, PutImage: quota }, clock);
  /** Asks for so many turns at once; gives when they came. */
  const ask = async (count: number, operations = PUT) => {
    const times: number[] = [];
    const turns = Array.from({ length: count }, async () => {
      await pacer.take(operations);
      times.push(clock.now());
    });
    await Promise.all([Promise.all(turns), clock.run()]);
    return times;
  };
  return { clock, pacer, ask };
}

/** The most that lie in any so many milliseconds. */
function mostWithin(times: readonly number[], length: number): number {
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + length).length));
}

describe('turns', () => {
  const quotas = fc.integer({ min: 2, max: 40 });
  const gaps = fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant(0) },
      fc.constantFrom(400, 800, 1_200),
      fc.nat(300),
      fc.nat(4_000),
    ),
    {
      minLength: 1,
      maxLength: 120,
    },
  );

  test('come in the order of asking, within the quota, and no later than they have to', async () => {
    await fc.assert(
      fc.asyncProperty(quotas, gaps, async (quota, waits) => {
        const { clock, pacer } = start(quota);
        const [asked, sent, order]: [number[], number[], number[]] = [[], [], []];
        const asking = async () => {
          for (const [position, wait] of waits.entries()) {
            if (wait > 0) await clock.sleep(wait);
            asked.push(clock.now());
            void pacer.take(PUT).then(() => {
              sent.push(clock.now());
              order.push(position);
            });
          }
        };
        await Promise.all([asking(), clock.run()]);
        const most = Math.floor(quota * 0.9);
        expect(order).toEqual(waits.map((_, position) => position));
        expect(mostWithin(sent, 1_000)).toBeLessThanOrEqual(most);
        const soonest: number[] = [];
        for (const at of asked) {
          soonest.push(Math.max(at, soonest.at(-1) ?? 0, (soonest.at(-most) ?? -WINDOW) + WINDOW));
        }
        expect(sent).toEqual(soonest);
      }),
      { numRuns: 200 },
    );
  });

  test('come in the order of asking, within the quota, when timers are late too', async () => {
    const delays = fc.array(fc.nat(300), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(quotas, gaps, delays, async (quota, waits, late) => {
        let timers = 0;
        const { clock, pacer } = start(quota, () => late[timers++ % late.length] ?? 0);
        const [sent, order]: [number[], number[]] = [[], []];
        const asking = async () => {
          for (const [position, wait] of waits.entries()) {
            if (wait > 0) await clock.sleep(wait);
            void pacer.take(PUT).then(() => {
              sent.push(clock.now());
              order.push(position);
            });
          }
        };
        await Promise.all([asking(), clock.run()]);
        expect(order).toEqual(waits.map((_, position) => position));
        expect(mostWithin(sent, 1_000)).toBeLessThanOrEqual(Math.floor(quota * 0.9));
      }),
      { numRuns: 200 },
    );
  });

  test('are kept within the quota whatever is refused, all come, and none in a pause', async () => {
    const requests = fc.array(
      fc.record({
        wait: fc.oneof(fc.constant(0), fc.nat(500)),
        refusal: fc.option(
          fc.record({
            after: fc.nat(300),
            retryAfter: fc.option(fc.nat(3_000), { nil: undefined }),
          }),
          { freq: 4, nil: undefined },
        ),
      }),
      { minLength: 1, maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(quotas, requests, async (quota, all) => {
        const { clock, pacer } = start(quota);
        const sent: number[] = [];
        const pauses: { from: number; to: number }[] = [];
        const one = async ({ wait, refusal }: (typeof all)[number]) => {
          await clock.sleep(wait);
          await pacer.take(PUT);
          sent.push(clock.now());
          if (!refusal) return;
          await clock.sleep(refusal.after);
          pacer.refused(PUT, refusal.retryAfter);
          pauses.push({ from: clock.now(), to: clock.now() + Math.max(250, refusal.retryAfter ?? 0) });
        };
        await Promise.all([Promise.all(all.map(one)), clock.run()]);
        expect(sent).toHaveLength(all.length);
        expect(mostWithin(sent, 1_000)).toBeLessThanOrEqual(Math.floor(quota * 0.9));
        expect(sent.filter((at) => pauses.some(({ from, to }) => at > from && at < to))).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  test('of ECR’s own quotas are 9 at once, and the next ones when their time is over', async () => {
    const times = await start().ask(60);
    expect(times).toEqual(Array.from({ length: 60 }, (_, position) => Math.floor(position / 9) * WINDOW));
  });

  test('come one by one when the quota is a single one', async () => {
    expect(await start(1).ask(3)).toEqual([0, WINDOW, 2 * WINDOW]);
  });

  test('come at once where there is no quota', async () => {
    expect(await start().ask(1_000, [])).toEqual(Array(1_000).fill(0));
  });

  test('of one operation are not held up by those of another', async () => {
    const { ask } = start();
    const [puts, reads] = await Promise.all([ask(20), ask(500, READ)]);
    expect(puts.at(-1)).toBe(2 * WINDOW);
    expect(reads).toEqual(Array(500).fill(0));
  });

  test('in two operations wait for both', async () => {
    const times = await start().ask(200, ['UploadLayerPart', 'CompleteLayerUpload']);
    expect(times).toEqual(Array.from({ length: 200 }, (_, position) => Math.floor(position / 90) * WINDOW));
  });
});

describe('a refusal', () => {
  /** How many come at once when the pause is over. */
  const burst = (times: readonly number[]) => times.filter((at) => at === times[0]).length;

  test('makes all of its kind wait a little when the registry does not say how long', async () => {
    const { pacer, ask } = start();
    pacer.refused(PUT, undefined);
    const [first] = await ask(1);
    expect(first).toBeGreaterThanOrEqual(250);
    expect(first).toBeLessThanOrEqual(500);
  });

  test('makes them wait as long as the registry says', async () => {
    const { pacer, ask } = start();
    pacer.refused(PUT, 3_000);
    expect(await ask(1)).toEqual([3_000]);
  });

  test('makes them wait even when the registry says that they need not', async () => {
    const { pacer, ask } = start();
    pacer.refused(PUT, 0);
    expect((await ask(1))[0]).toBeGreaterThanOrEqual(250);
  });

  test('does not make them wait for ever', async () => {
    const { pacer, ask } = start();
    pacer.refused(PUT, 86_400_000);
    expect(await ask(1)).toEqual([30_000]);
  });

  test('makes those wait that waited already', async () => {
    const { clock, pacer } = start();
    const times: number[] = [];
    const turns = Array.from({ length: 10 }, () => pacer.take(PUT).then(() => times.push(clock.now())));
    const refusal = clock.sleep(1_100).then(() => pacer.refused(PUT, 2_000));
    await Promise.all([...turns, refusal, clock.run()]);
    expect(times).toEqual([...Array(9).fill(0), 3_100]);
  });

  test('does not shorten the pause that an earlier one has asked for', async () => {
    const { pacer, ask } = start();
    pacer.refused(PUT, 4_000);
    pacer.refused(PUT, 1_000);
    expect(await ask(1)).toEqual([4_000]);
  });

  test('of many that were sent together counts once', async () => {
    const { pacer, ask } = start(20);
    for (let count = 0; count < 9; count += 1) pacer.refused(PUT, count === 0 ? 0 : undefined);
    expect(burst(await ask(18))).toBe(9);
  });

  test.each([
    [1, 9],
    [2, 4],
    [3, 2],
    [4, 1],
    [9, 1],
  ])(
    'that comes %d times, each after the pause of the one before, leaves %d at once',
    async (times, left) => {
      const { clock, pacer, ask } = start(20);
      for (let count = 0; count < times; count += 1) {
        pacer.refused(PUT, 1_000);
        await Promise.all([clock.sleep(1_000), clock.run()]);
      }
      expect(burst(await ask(18))).toBe(left);
    },
  );

  test('is made up for by a tenth of the quota a second', async () => {
    const { clock, pacer, ask } = start(20);
    pacer.refused(PUT, 1_000);
    await Promise.all([clock.sleep(3_500), clock.run()]);
    expect(burst(await ask(18))).toBe(13);
    await Promise.all([clock.sleep(5_000), clock.run()]);
    expect(burst(await ask(40))).toBe(18);
  });

  test('of one operation is none of another', async () => {
    const { pacer, ask } = start();
    pacer.refused(PUT, 5_000);
    expect(await ask(1_500, READ)).toEqual(Array(1_500).fill(0));
  });
});
