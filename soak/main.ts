import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeMachine, machineLine } from '../bench/report/machine.ts';
import { HELP, type Options, parseOptions } from './options.ts';
import { holds, sectionText } from './report/finding.ts';
import { soak } from './soak.ts';

async function main(options: Options): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'soak-'));
  const removeDir = () => rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      removeDir();
      process.exit(1);
    });
  }
  try {
    const sections = await soak(options, dir, (line) => process.stderr.write(`${line}\n`));
    const machine = describeMachine();
    console.log(`${machineLine(machine)}\n`);
    for (const section of sections) console.log(`${sectionText(section)}\n`);
    const good = sections.every(holds);
    if (options.json) {
      const report = { machine, sizes: options.sizes, holds: good, sections };
      await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
    }
    console.log(
      good ? 'All of it is within its bounds.' : 'Something is beyond its bound: see BROKEN above.',
    );
    if (!good) process.exitCode = 1;
  } finally {
    removeDir();
  }
}

const options = parseOptions(process.argv.slice(2));
if (options === 'help') console.log(HELP);
else await main(options);
