import type { Readable } from 'node:stream';
import { StalledError, TimeoutError } from './errors.ts';

/**
 * Breaks an upload off whose connection takes nothing for too long: an operating system waits a quarter of an hour for one
 * that has gone dead. A body whose own source is slow is left alone: it is not its connection that holds it up.
 * @param body a stream that whoever sends it pauses while the connection takes no more
 * @param limit in milliseconds
 */
export function breakOffWhenStalled(body: Readable, limit: number): void {
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    if (body.isPaused()) body.destroy(new StalledError(limit));
  };
  // What is paused before it is sent for the first time waits for its turn.
  body.once('resume', () => {
    // Each pause comes after a piece that the connection did take.
    body.on('pause', () => {
      clearTimeout(timer);
      timer = setTimeout(look, limit).unref();
    });
  });
  body.once('close', () => clearTimeout(timer));
}

/** What each period has to bring of a download, in bytes: no line is so slow. */
const LEAST = 64 * 1024;

/**
 * Breaks a download off that only drips: as long as a byte comes now and then, it is none that has gone dead. One that its
 * own reader keeps waiting is left alone.
 * @param body a stream that nobody reads yet, which this does not change
 * @param period in milliseconds
 * @param what of messages: the request
 */
export function breakOffWhenDripping(body: Readable, period: number, what: string): void {
  let received = 0;
  let held = false;
  body.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  // Looking on must not start the stream: whoever reads it does.
  body.pause();
  body.on('pause', () => {
    held = true;
  });
  const timer = setInterval(() => {
    if (!held && !body.isPaused() && received < LEAST) {
      body.destroy(new TimeoutError(`${what} brought less than ${LEAST} bytes in ${period / 1000} s`));
    }
    received = 0;
    held = body.isPaused();
  }, period);
  timer.unref();
  body.once('close', () => clearInterval(timer));
}
