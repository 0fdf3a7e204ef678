import { EventEmitter } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { CancelledError, untilCancelled } from '../../src/github/cancel.ts';

/** A process that notes how it was ended. */
class FakeProcess extends EventEmitter {
  readonly codes: number[] = [];
  readonly stdout = new EventEmitter();

  exit(code: number): void {
    this.codes.push(code);
  }
}

/** Nothing has to be told or cleaned up. */
const PLAIN = { giveUp: async () => undefined, cleanUp: () => undefined };

describe('cancelling', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('by %s cleans up and then ends the process with %p', async (signal, code) => {
    const fake = new FakeProcess();
    const endsSeenByCleanUp: number[] = [];
    const work = Promise.withResolvers<void>();
    const running = untilCancelled(fake, () => work.promise, {
      ...PLAIN,
      cleanUp: () => void endsSeenByCleanUp.push(fake.codes.length),
    });
    fake.emit(signal);
    expect(fake.codes).toEqual([code]);
    expect(endsSeenByCleanUp).toEqual([0]);
    work.resolve();
    await running;
  });

  test('is not listened for when the work has ended, and it has been cleaned up then', async () => {
    const fake = new FakeProcess();
    let clean = false;
    await untilCancelled(fake, async () => expect(fake.listenerCount('SIGINT')).toBe(1), {
      ...PLAIN,
      cleanUp: () => {
        clean = true;
      },
    });
    expect(clean).toBe(true);
    expect([fake.listenerCount('SIGINT'), fake.listenerCount('SIGTERM')]).toEqual([0, 0]);
    expect(fake.codes).toEqual([]);
  });

  test('cleans up when the work fails, and passes the failure on', async () => {
    const fake = new FakeProcess();
    let clean = false;
    const running = untilCancelled(fake, () => Promise.reject(new Error('broken')), {
      ...PLAIN,
      cleanUp: () => {
        clean = true;
      },
    });
    await expect(running).rejects.toThrow('broken');
    expect(clean).toBe(true);
  });

  test('waits for what is held, which is told of it, and then ends', async () => {
    const fake = new FakeProcess();
    const told: unknown[] = [];
    const running = untilCancelled(
      fake,
      ({ signal, hold }) =>
        hold(async () => {
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          told.push(signal.reason);
          expect(fake.codes).toEqual([]);
        }),
      PLAIN,
    );
    fake.emit('SIGINT');
    await running;
    expect(told).toEqual([new CancelledError('the step was cancelled')]);
    expect(fake.codes).toEqual([130]);
  });

  test('tells, when a second signal comes, that it gives up what is held, and does not wait for it', async () => {
    const fake = new FakeProcess();
    const stuck = Promise.withResolvers<void>();
    const given: number[] = [];
    const giveUp = async () => void given.push(fake.codes.length);
    const running = untilCancelled(fake, ({ hold }) => hold(() => stuck.promise), { ...PLAIN, giveUp });
    fake.emit('SIGINT');
    expect([fake.codes, given]).toEqual([[], []]);
    fake.emit('SIGTERM');
    await new Promise(setImmediate);
    expect([fake.codes, given]).toEqual([[143], [0]]);
    stuck.resolve();
    await running;
  });

  test('does not wait for what it has to tell either when a third signal comes', async () => {
    const fake = new FakeProcess();
    const stuck = Promise.withResolvers<void>();
    const giveUp = () => stuck.promise;
    const running = untilCancelled(fake, ({ hold }) => hold(() => stuck.promise), { ...PLAIN, giveUp });
    for (const signal of ['SIGINT', 'SIGINT', 'SIGTERM']) fake.emit(signal);
    expect(fake.codes).toEqual([143]);
    stuck.resolve();
    await running;
  });

  test('comes of a log that nobody reads, once, however many lines cannot be written', async () => {
    const fake = new FakeProcess();
    const given: unknown[] = [];
    const told: unknown[] = [];
    const giveUp = async () => void given.push('given up');
    const running = untilCancelled(
      fake,
      ({ signal, hold }) =>
        hold(async () => {
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          fake.stdout.emit('error', new Error('EPIPE'));
          told.push(signal.reason);
        }),
      { ...PLAIN, giveUp },
    );
    fake.stdout.emit('error', new Error('EPIPE'));
    // A runner that dies sends what it always does.
    fake.emit('SIGINT');
    await running;
    expect(told).toEqual([new CancelledError('nobody reads the log of the step any more')]);
    expect([fake.codes, given]).toEqual([[141], []]);
    expect(fake.stdout.listenerCount('error')).toBe(0);
  });
});
