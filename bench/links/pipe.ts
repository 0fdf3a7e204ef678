import type { Socket } from 'node:net';
import type { Clock } from './clock.ts';

/** What a link does to the bytes of one direction. */
export interface Shape {
  /** Bytes a second that one connection gets; Infinity for as fast as the machine is. */
  readonly rate: number;
  /** How long a byte is on its way, in milliseconds. */
  readonly delay: number;
  /** No byte sets off before this moment, as `performance.now` counts. */
  readonly opensAt: number;
}

/** What a sender may have on its way beyond what fills the line: enough to keep it full between two ticks. */
const SLACK = 512 * 1024;
/** What may be on its way when the line has no limit. */
const UNLIMITED_WINDOW = 8 * 1024 * 1024;

interface Parcel {
  readonly due: number;
  /** Nothing stands for the end of the stream. */
  readonly bytes: Buffer | undefined;
}

/**
 * One direction of one connection. Every chunk takes as long as its bytes need at the rate, and arrives the delay later,
 * in order. When as much is on its way as a line of that length holds, no more is read, which the sender feels.
 */
export class Pipe {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #shape: Shape;
  readonly #clock: Clock;
  readonly #window: number;
  readonly #parcels: Parcel[] = [];
  #onItsWay = 0;
  #lineFreeAt = 0;
  #sinkIsFull = false;
  #carried = 0;

  constructor(source: Socket, sink: Socket, shape: Shape, clock: Clock) {
    this.#source = source;
    this.#sink = sink;
    this.#shape = shape;
    this.#clock = clock;
    const { rate, delay } = shape;
    this.#window = Number.isFinite(rate) ? (rate * delay) / 1000 + SLACK : UNLIMITED_WINDOW;
    source.on('data', (bytes: Buffer) => this.send(bytes));
    source.on('end', () => this.#enqueue({ due: this.#lineFreeAt + delay, bytes: undefined }));
    sink.on('drain', () => {
      this.#sinkIsFull = false;
      this.deliver(performance.now());
    });
  }

  /** Bytes that were delivered. */
  get carried(): number {
    return this.#carried;
  }

  /** Puts bytes on the line. */
  send(bytes: Buffer): void {
    const { rate, delay, opensAt } = this.#shape;
    const setsOff = Math.max(this.#lineFreeAt, opensAt, performance.now());
    this.#lineFreeAt = setsOff + (bytes.length / rate) * 1000;
    this.#enqueue({ due: this.#lineFreeAt + delay, bytes });
    this.#onItsWay += bytes.length;
    if (this.#onItsWay >= this.#window) this.#source.pause();
  }

  #enqueue(parcel: Parcel): void {
    this.#parcels.push(parcel);
    if (this.#parcels.length === 1) this.#clock.wake(this, parcel.due);
  }

  /** Hands over what is due; gives the moment at which more will be, if any is on its way. */
  deliver(now: number): number | undefined {
    let arrived = 0;
    for (const { due, bytes } of this.#parcels) {
      if (due > now || this.#sinkIsFull) break;
      arrived += 1;
      if (bytes) this.#hand(bytes);
      else this.#sink.end();
    }
    if (arrived > 0) this.#parcels.splice(0, arrived);
    if (this.#source.isPaused() && this.#onItsWay < this.#window) this.#source.resume();
    const next = this.#parcels[0];
    if (!next || this.#sinkIsFull) return undefined;
    this.#clock.wake(this, next.due);
    return next.due;
  }

  #hand(bytes: Buffer): void {
    this.#onItsWay -= bytes.length;
    this.#carried += bytes.length;
    if (this.#sink.destroyed) return;
    this.#sinkIsFull = !this.#sink.write(bytes);
  }
}
