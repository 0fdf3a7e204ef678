import { setTimeout as sleep } from 'node:timers/promises';
import { unlessAborted } from '../distribution/aborted.ts';
import { RegistryError } from '../distribution/errors.ts';
import type { Session } from '../distribution/session.ts';
import { operationsOf, type PacedOperation, QUOTAS } from './operations.ts';

/** How much of a quota one job takes at the most: its neighbours need some, and a request may arrive later than it was sent. */
const SHARE = 0.9;
/** The time in which no more than that is sent, in milliseconds: longer than ECR's second, for the same reason. */
const WINDOW = 1_200;
/** The least that is left of a quota after refusals. */
const LEAST = 0.1;
/** What of the quota a second without a refusal gives back. */
const RECOVERY = 0.1;
/** How long nothing of the kind is sent after a refusal at the least, in milliseconds; up to twice that. */
const PAUSE = 250;
/** How long nothing of the kind is sent at the most, however long the registry asks for, in milliseconds. */
const LONGEST_PAUSE = 30_000;

/** The clock in milliseconds, and waiting. */
export interface Clock {
  now(): number;
  sleep(milliseconds: number): Promise<unknown>;
}

const CLOCK: Clock = { now: () => performance.now(), sleep };

/**
 * Keeps the requests to one account's registry in one region under its quotas. Whoever asks for a turn gets it in the order of
 * asking, as soon as the quota has room. A refusal (other jobs use the same quota) makes all of its kind wait, and halves
 * what is taken of the quota; it comes back while there are none.
 */
export class Pacer {
  readonly #lanes = new Map<PacedOperation, Lane>();
  readonly #quotas: Readonly<Record<PacedOperation, number>>;
  readonly #clock: Clock;

  constructor(quotas: Readonly<Record<PacedOperation, number>> = QUOTAS, clock: Clock = CLOCK) {
    this.#quotas = quotas;
    this.#clock = clock;
  }

  /** Waits for a turn in each of these operations. */
  async take(operations: readonly PacedOperation[]): Promise<void> {
    await Promise.all(operations.map((operation) => this.#lane(operation).take()));
  }

  /**
   * Told that a request was refused because a quota was used up.
   * @param retryAfter how long the registry asks to be left alone, in milliseconds, if it says so
   */
  refused(operations: readonly PacedOperation[], retryAfter: number | undefined): void {
    for (const operation of operations) this.#lane(operation).refused(retryAfter);
  }

  #lane(operation: PacedOperation): Lane {
    const lane = this.#lanes.get(operation) ?? new Lane(this.#quotas[operation] * SHARE, this.#clock);
    this.#lanes.set(operation, lane);
    return lane;
  }
}

/** The requests of one operation. */
class Lane {
  readonly #most: number;
  readonly #clock: Clock;
  /** When the latest were sent, oldest first; no more than matter. */
  #sent: number[] = [];
  #last: Promise<void> = Promise.resolve();
  #pausedUntil = 0;
  #share = 1;
  #recoveredAt = 0;

  constructor(most: number, clock: Clock) {
    this.#most = most;
    this.#clock = clock;
  }

  take(): Promise<void> {
    this.#last = this.#last.then(() => this.#turn());
    return this.#last;
  }

  async #turn(): Promise<void> {
    for (;;) {
      const now = this.#clock.now();
      const wait = Math.max(this.#pausedUntil, this.#roomAt(now)) - now;
      if (wait <= 0) {
        this.#sent.push(now);
        return;
      }
      await this.#clock.sleep(wait);
    }
  }

  /** When the next may be sent. */
  #roomAt(now: number): number {
    this.#recover(now);
    this.#sent = this.#sent.filter((at) => at > now - WINDOW);
    const most = Math.max(1, Math.floor(this.#most * this.#share));
    const oldest = this.#sent.at(-most);
    return oldest === undefined ? now : oldest + WINDOW;
  }

  #recover(now: number): void {
    if (this.#share === 1) return;
    this.#share = Math.min(1, this.#share + (RECOVERY * Math.max(0, now - this.#recoveredAt)) / 1_000);
    this.#recoveredAt = Math.max(now, this.#recoveredAt);
  }

  refused(retryAfter = 0): void {
    const now = this.#clock.now();
    const pause = Math.min(LONGEST_PAUSE, Math.max(retryAfter, PAUSE * (1 + Math.random())));
    // Those that were sent together are refused together, which counts once.
    if (now >= this.#pausedUntil) this.#share = Math.max(LEAST, this.#share / 2);
    this.#pausedUntil = Math.max(this.#pausedUntil, now + pause);
    this.#recoveredAt = this.#pausedUntil;
  }
}

/** Sends a session's requests under the quotas of the registry that it is with. */
export function pacedSession(session: Session, pacer: Pacer): Session {
  return {
    prepare: () => session.prepare(),
    async send(request) {
      const operations = operationsOf(request.method, request.url);
      const turn = () => pacer.take(operations);
      await (request.signal ? unlessAborted(turn, request.signal) : turn());
      try {
        return await session.send(request);
      } catch (error) {
        if (error instanceof RegistryError && error.status === 429)
          pacer.refused(operations, error.retryAfter);
        throw error;
      }
    },
  };
}
