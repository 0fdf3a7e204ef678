import { EventEmitter } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { CancelledError, untilCancelled } from '../../src/github/cancel.ts';

/** A process that notes how it was ended. */
class FakeProcess extends EventEmitter {
  readonly codes: number[] = [];

  exit(code: number): void {
    this.codes.push(code);
  }
}

describe('cancelling', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('by %s cleans up and then ends the process with %p', async (signal, code) => {
    const fake = new FakeProcess();
    const endsSeenByCleanUp: number[] = [];
    const work = Promise.withResolvers<void>();
    const running = untilCancelled(
      fake,
      () => work.promise,
      () => endsSeenByCleanUp.push(fake.codes.length),
    );
    fake.emit(signal);
    expect(fake.codes).toEqual([code]);
    expect(endsSeenByCleanUp).toEqual([0]);
    work.resolve();
    await running;
  });

  test('is not listened for when the work has ended, and it has been cleaned up then', async () => {
    const fake = new FakeProcess();
    let clean = false;
    await untilCancelled(
      fake,
      async () => expect(fake.listenerCount('SIGINT')).toBe(1),
      () => {
        clean = true;
      },
    );
    expect(clean).toBe(true);
    expect([fake.listenerCount('SIGINT'), fake.listenerCount('SIGTERM')]).toEqual([0, 0]);
    expect(fake.codes).toEqual([]);
  });

  test('cleans up when the work fails, and passes the failure on', async () => {
    const fake = new FakeProcess();
    let clean = false;
    const running = untilCancelled(
      fake,
      () => Promise.reject(new Error('broken')),
      () => {
        clean = true;
      },
    );
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
      () => undefined,
    );
    fake.emit('SIGINT');
    await running;
    expect(told).toEqual([new CancelledError()]);
    expect(fake.codes).toEqual([130]);
  });

  test('does not wait when a second signal comes', async () => {
    const fake = new FakeProcess();
    const stuck = Promise.withResolvers<void>();
    const running = untilCancelled(
      fake,
      ({ hold }) => hold(() => stuck.promise),
      () => undefined,
    );
    fake.emit('SIGINT');
    expect(fake.codes).toEqual([]);
    fake.emit('SIGTERM');
    expect(fake.codes).toEqual([143]);
    stuck.resolve();
    await running;
  });
});
