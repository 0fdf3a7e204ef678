import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../__tests__/e2e/engines/process.ts';
import { startLinks } from './links/links.ts';
import { HELP, type Options, parseOptions, type Scenario } from './options.ts';
import { type Contest, type Finding, hold, type Outcome } from './report/contest.ts';
import { describeMachine, machineLine } from './report/machine.ts';
import { findingsTable, outcomeTable } from './report/table.ts';
import { memory } from './scenarios/memory.ts';
import { coldPush, freshPush, nothingNew, slowPush, topLayer } from './scenarios/push.ts';
import { requests } from './scenarios/requests.ts';
import type { Setting } from './scenarios/setting.ts';
import { coldStart } from './scenarios/start.ts';
import { stitching } from './scenarios/stitch.ts';
import { takeAction } from './subjects/action.ts';
import { startBuilder } from './world/builder.ts';
import { writeContext } from './world/image.ts';

/** 121 MB for each of two platforms, in layers as images have them: few are large, the topmost is small. */
const LAYERS = [60_000_000, 30_000_000, 20_000_000, 10_000_000, 1_000_000];
const LARGE_LAYER = 2_000_000_000;
const QUICK = 0.1;

const MEMORY_DIR = '/dev/shm';

interface Report {
  readonly outcomes: Outcome[];
  readonly findings: { readonly title: string; readonly findings: readonly Finding[] }[];
}

const say = (line: string) => process.stderr.write(`${line}\n`);

async function bench(options: Options): Promise<Report> {
  if (options.install)
    await run(fileURLToPath(new URL('setup.sh', import.meta.url)), [], { timeoutMs: 3_600_000 });
  const memoryDir = existsSync(MEMORY_DIR) ? MEMORY_DIR : tmpdir();
  const dir = await mkdtemp(join(options.dir ?? memoryDir, 'bench-'));
  const diskDir = await mkdtemp(join(tmpdir(), 'bench-'));
  const links = startLinks();
  try {
    const builder = await startBuilder(dir);
    try {
      const scale = options.quick ? QUICK : 1;
      return await runScenarios(options, {
        links,
        dir,
        diskDir,
        builder,
        regionCounts: options.regionCounts,
        action: await takeAction(dir, options.bundle, builder.environment),
        layers: LAYERS.map((size) => size * scale),
        largeLayer: LARGE_LAYER * scale,
      });
    } finally {
      await builder.stop();
    }
  } finally {
    await links.stop();
    for (const each of [dir, diskDir]) await rm(each, { recursive: true, force: true });
  }
}

async function runScenarios(options: Options, setting: Setting): Promise<Report> {
  const context = join(setting.dir, 'context');
  await writeContext(context, setting.layers);
  const report: Report = { outcomes: [], findings: [] };
  for (const scenario of options.only) {
    const done = await prepare(scenario, setting, context);
    if ('findings' in done) report.findings.push(done);
    else report.outcomes.push(await holdToEnd(done, options.rounds));
  }
  return report;
}

type Findings = Report['findings'][number];

async function prepare(scenario: Scenario, setting: Setting, context: string): Promise<Contest | Findings> {
  switch (scenario) {
    case 'start':
      return coldStart(setting);
    case 'requests':
      return { title: 'Requests and bytes, counted at the registry', findings: await requests(setting) };
    case 'stitch':
      return stitching(setting);
    case 'nothing-new':
      return nothingNew(setting, context);
    case 'top-layer':
      return topLayer(setting, context);
    case 'fresh':
      return freshPush(setting, context);
    case 'slow':
      return slowPush(setting, context);
    case 'cold':
      return coldPush(setting, context);
    case 'memory':
      return { title: 'Memory', findings: await memory(setting) };
  }
}

async function holdToEnd(contest: Contest, rounds: number): Promise<Outcome> {
  try {
    return await hold(contest, rounds, say);
  } finally {
    await contest.close?.();
  }
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') return console.log(HELP);
  const { outcomes, findings } = await bench(options);
  const machine = describeMachine();
  console.log(`${machineLine(machine)}; ${options.rounds} rounds\n`);
  for (const outcome of outcomes) console.log(`${outcomeTable(outcome)}\n`);
  for (const { title, findings: found } of findings) console.log(`${findingsTable(title, found)}\n`);
  if (options.json) {
    const { rounds, quick } = options;
    await writeFile(
      options.json,
      `${JSON.stringify({ machine, rounds, quick, outcomes, findings }, null, 2)}\n`,
    );
  }
}

await main();
