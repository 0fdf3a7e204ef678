import type { EventEmitter } from 'node:events';
import { readdirSync } from 'node:fs';
import { globalAgent as httpAgent } from 'node:http';
import { globalAgent as httpsAgent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { getGlobalDispatcher } from 'undici';
import * as z from 'zod/mini';

/** What a process holds on to. Sizes are in bytes. */
export const vitalsSchema = z.object({
  /** What is alive in V8's heap. */
  heap: z.number(),
  /** What lies outside of it on behalf of JavaScript: buffers, compiled code of Node's own. */
  buffers: z.number(),
  resident: z.number(),
  /** Open files and sockets; 0 where the system does not tell. */
  descriptors: z.number(),
  /** What keeps the process from ending: sockets, timers, requests to the file system. */
  handles: z.number(),
  /** On emitters that outlive a publish. */
  listeners: z.number(),
  /** Entries of the folders for temporary files. */
  leftovers: z.number(),
  /** Since the start: too many listeners, rejections that nobody handled, deprecations. */
  warnings: z.number(),
});
export type Vitals = z.infer<typeof vitalsSchema>;

/** How long connections that were just closed may take to be gone, in milliseconds. */
const PATIENCE = 1_000;
const PERIOD = 20;

const DESCRIPTORS = '/proc/self/fd';

/** Takes the vitals of this process, again and again. */
export class VitalsWatch {
  readonly #folders: readonly string[];
  #warnings = 0;
  #leastOpen = Number.POSITIVE_INFINITY;

  /** @param folders those for temporary files, which have nothing in them between publishes */
  constructor(folders: readonly string[]) {
    this.#folders = folders;
    process.on('warning', () => {
      this.#warnings += 1;
    });
  }

  /**
   * What is there when all has come to rest and the garbage is collected.
   * @throws Error when Node was not started with `--expose-gc`
   */
  async take(): Promise<Vitals> {
    const collect = globalThis.gc;
    if (!collect) throw new Error('the process needs --expose-gc');
    await this.#settle();
    // What a finalizer lets go of is garbage for the next one.
    for (let times = 0; times < 2; times += 1) {
      collect();
      await sleep(0);
    }
    const { heapUsed, external, rss } = process.memoryUsage();
    return {
      heap: heapUsed,
      buffers: external,
      resident: rss,
      descriptors: countDescriptors(),
      handles: process.getActiveResourcesInfo().length,
      listeners: sharedEmitters().reduce((sum, emitter) => sum + countListeners(emitter), 0),
      leftovers: this.#folders.flatMap((folder) => readdirSync(folder)).length,
      warnings: this.#warnings,
    };
  }

  /** Waits until there is no more open than there was at rest before. */
  async #settle(): Promise<void> {
    const until = performance.now() + PATIENCE;
    while (countDescriptors() > this.#leastOpen && performance.now() < until) await sleep(PERIOD);
    this.#leastOpen = Math.min(this.#leastOpen, countDescriptors());
  }
}

/** What belongs to the process or to a library rather than to a publish. */
function sharedEmitters(): readonly EventEmitter[] {
  return [process, process.stdout, process.stderr, httpAgent, httpsAgent, getGlobalDispatcher()];
}

function countListeners(emitter: EventEmitter): number {
  return emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0);
}

function countDescriptors(): number {
  return process.platform === 'linux' ? readdirSync(DESCRIPTORS).length : 0;
}
