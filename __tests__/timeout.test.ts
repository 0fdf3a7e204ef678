import { describe, expect, test } from '@jest/globals';
import { TimeLimitError, UnfinishedError } from '../src/release/late.ts';
import type { Interruption } from '../src/release/plan.ts';
import { withinTime } from '../src/timeout.ts';
import { UnderWay } from '../src/underWay.ts';

/** How a step learns that it was cancelled, and what it has had held. */
function interruptible() {
  const controller = new AbortController();
  const held: unknown[] = [];
  const outer: Interruption = {
    signal: controller.signal,
    hold(work) {
      held.push(work);
      return work();
    },
  };
  return { outer, held, cancel: () => controller.abort(new Error('cancelled')) };
}

/** Waits until work is told that it has to end, and gives the reason. */
function told({ signal }: Interruption): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    else signal.addEventListener('abort', () => resolve(signal.reason));
  });
}

/** Nothing is told of what it does. */
const IDLE = { underWay: new UnderWay() };

const never = () => new Promise<never>(() => {});

describe('work that may take only so long', () => {
  test('is done as it is where nothing limits it, or in time', async () => {
    const { outer, held } = interruptible();
    expect(await withinTime(undefined, outer, async (interruption) => interruption, IDLE)).toBe(outer);
    const hold = (interruption: Interruption) => interruption.hold(async () => 'done');
    expect(await withinTime(60_000, outer, hold, IDLE)).toBe('done');
    expect(held).toHaveLength(1);
  });

  test('fails at once when its time is over and nothing is held', async () => {
    const running = withinTime(10, interruptible().outer, never, IDLE);
    await expect(running).rejects.toThrow(TimeLimitError);
    await expect(running).rejects.toThrow(/within 0 s \("timeout"\): run the job again/);
  });

  test('says what was under way when its time was over, and nothing of what had ended', async () => {
    const underWay = new UnderWay();
    const work = async () => {
      await underWay.during(
        () => 'first',
        async () => undefined,
      );
      return Promise.all(['second', 'third'].map((name) => underWay.during(() => name, never)));
    };
    const running = withinTime(10, interruptible().outer, work, { underWay });
    await expect(running).rejects.toThrow(
      /\("timeout"\) while this was under way: second; third: run the job/,
    );
  });

  test('is waited for while something is held, which is told to end, and says itself how it went', async () => {
    const { outer, held } = interruptible();
    const work = (interruption: Interruption) => interruption.hold(() => told(interruption));
    expect(await withinTime(10, outer, work, IDLE)).toBeInstanceOf(TimeLimitError);
    expect(held).toHaveLength(1);
  });

  test('is not waited for any longer than the grace of what is held, of which nobody says that it is as before', async () => {
    const work = ({ hold }: Interruption) => hold(never);
    const running = withinTime(10, interruptible().outer, work, { ...IDLE, grace: 10 });
    await expect(running).rejects.toThrow(UnfinishedError);
    await expect(running).rejects.toThrow(/tags may show the new image, what they showed before, or nothing/);
  });

  test('is told when the step is cancelled, too', async () => {
    const { outer, cancel } = interruptible();
    const running = withinTime(60_000, outer, told, IDLE);
    cancel();
    expect(await running).toEqual(new Error('cancelled'));
  });
});
