import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** In the order in which they are run. */
export const SCENARIOS = [
  'start',
  'requests',
  'stitch',
  'nothing-new',
  'top-layer',
  'fresh',
  'slow',
  'cold',
  'memory',
] as const;
export type Scenario = (typeof SCENARIOS)[number];

const REGION_COUNTS = [1, 2, 4, 8];

export const HELP = `Compares the action with its peers, on lines of chosen length and width.

  npm run bench -- [options]

  --only LIST     the scenarios, by comma: ${SCENARIOS.join(', ')} (default: all of them)
  --regions LIST  how many regions a fresh push goes to: 1, 2, 4, 8 (default: all of these)
  --rounds N      how often each contender does its work (default: 3)
  --quick         images of a tenth of the size: to see whether everything works, not for numbers
  --json FILE     writes all samples to a file
  --dir PATH      where images and registries lie; a folder in memory, if there is one, keeps the disk out of it
  --bundle PATH   another bundle of the action than dist/, to try a change
  --no-install    takes the tools as they are
  --help          this text`;

export interface Options {
  readonly only: readonly Scenario[];
  /** How many regions a fresh push goes to, one after the other of these. */
  readonly regionCounts: readonly number[];
  readonly rounds: number;
  readonly quick: boolean;
  readonly json: string | undefined;
  readonly dir: string | undefined;
  readonly bundle: string;
  readonly install: boolean;
}

/**
 * Reads the command line.
 * @throws Error saying what to write instead
 */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      only: { type: 'string' },
      regions: { type: 'string', default: REGION_COUNTS.join() },
      rounds: { type: 'string', default: '3' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      dir: { type: 'string' },
      bundle: { type: 'string', default: fileURLToPath(new URL('../dist', import.meta.url)) },
      install: { type: 'boolean', default: true },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds: write a number, from 1 on');
  const regionCounts = REGION_COUNTS.filter((count) => values.regions.split(',').map(Number).includes(count));
  if (regionCounts.length === 0) throw new Error(`--regions: write some of ${REGION_COUNTS.join(', ')}`);
  const wanted = values.only?.split(',').map((name) => name.trim()) ?? [...SCENARIOS];
  const unknown = wanted.find((name) => !SCENARIOS.some((scenario) => scenario === name));
  if (unknown) throw new Error(`--only: there is no scenario "${unknown}", only ${SCENARIOS.join(', ')}`);
  return {
    only: SCENARIOS.filter((scenario) => wanted.includes(scenario)),
    regionCounts,
    rounds,
    quick: values.quick,
    json: values.json,
    dir: values.dir,
    bundle: values.bundle,
    install: values.install,
  };
}
