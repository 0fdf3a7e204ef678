import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** In the order in which they are run. */
export const SCENARIOS = ['leg', 'stitch', 'publishes', 'faults'] as const;
export type Scenario = (typeof SCENARIOS)[number];

const SECONDS = 180;

export const HELP = `Shows that the action bears load, and holds on to nothing.

  npm run soak -- [options]

  --only LIST    the scenarios, by comma: ${SCENARIOS.join(', ')} (default: all of them)
  --seconds N    about how long all of it takes (default: ${SECONDS}); with less, regions, layers and legs are fewer too
  --rounds N     how many publishes there are one after the other, instead of as many as there is time for
  --json FILE    writes all that was found, and what it was reckoned from
  --bundle DIR   another bundle of the action than dist/, to try a change
  --source       the source instead of a bundle
  --help         this text

It ends with 1 when anything is beyond its bound.`;

/** How much is done. */
export interface Sizes {
  readonly regions: number;
  readonly layers: number;
  /** In bytes, beside those of the usual size. */
  readonly largeLayers: readonly number[];
  readonly legs: number;
  /** How long publishing goes on, without faults and with them. */
  readonly publishing: Duration;
  readonly faults: Duration;
}

/** Until the time is over, and not before there were so many; or exactly so many, if there is no time. */
export interface Duration {
  readonly seconds: number | undefined;
  readonly publishes: number;
}

export interface Options {
  readonly only: readonly Scenario[];
  readonly sizes: Sizes;
  readonly json: string | undefined;
  /** The folder of a bundle, or nothing for the source. */
  readonly bundle: string | undefined;
}

/**
 * Reads the command line.
 * @throws Error saying what to write instead
 */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      seconds: { type: 'string', default: String(SECONDS) },
      rounds: { type: 'string' },
      json: { type: 'string' },
      bundle: { type: 'string', default: fileURLToPath(new URL('../dist', import.meta.url)) },
      source: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const wanted = values.only?.split(',').map((name) => name.trim()) ?? [...SCENARIOS];
  const unknown = wanted.find((name) => !SCENARIOS.some((scenario) => scenario === name));
  if (unknown !== undefined)
    throw new Error(`--only: there is no scenario "${unknown}", only ${SCENARIOS.join(', ')}`);
  return {
    only: SCENARIOS.filter((scenario) => wanted.includes(scenario)),
    sizes: sizesFor(
      numberFrom(values.seconds, '--seconds'),
      values.rounds === undefined ? undefined : numberFrom(values.rounds, '--rounds'),
    ),
    json: values.json,
    bundle: values.source ? undefined : values.bundle,
  };
}

function numberFrom(text: string, name: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${name}: write a number, from 1 on`);
  return number;
}

/** What there is when there is time enough, and the least that says anything. */
const MOST = { regions: 20, layers: 200, legs: 50 };
const LEAST = { regions: 4, layers: 20, legs: 6 };
const LARGE_LAYERS = [6_000_000, 4_000_000, 2_000_000];
/** The parts of the time for publishing; the rest is for the leg and the stitch. */
const PUBLISHING = 0.35;
const FAULTS = 0.35;
/** The fewest publishes from which a growth can be told. */
const FEWEST = { publishing: 24, faults: 6 };

/** How much can be done in about so many seconds on two cores. */
export function sizesFor(seconds: number, rounds?: number): Sizes {
  const scale = Math.min(1, seconds / SECONDS);
  const scaled = (key: keyof typeof MOST) => Math.max(LEAST[key], Math.round(MOST[key] * scale));
  const timed = (part: number) => (rounds === undefined ? seconds * part : undefined);
  return {
    regions: scaled('regions'),
    layers: scaled('layers'),
    largeLayers: LARGE_LAYERS.slice(0, Math.max(1, Math.ceil(LARGE_LAYERS.length * scale))),
    legs: scaled('legs'),
    publishing: { seconds: timed(PUBLISHING), publishes: Math.max(FEWEST.publishing, rounds ?? 0) },
    faults: { seconds: timed(FAULTS), publishes: Math.max(FEWEST.faults, Math.ceil((rounds ?? 0) / 8)) },
  };
}
