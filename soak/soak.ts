import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Options, Scenario } from './options.ts';
import type { Section } from './report/finding.ts';
import { underFaults } from './scenarios/faults.ts';
import { manyLayers } from './scenarios/leg.ts';
import { manyPublishes } from './scenarios/publishes.ts';
import type { Setting } from './scenarios/setting.ts';
import { manyLegs } from './scenarios/stitch.ts';

const RUN: Readonly<Record<Scenario, (setting: Setting) => Promise<Section>>> = {
  leg: manyLayers,
  stitch: manyLegs,
  publishes: manyPublishes,
  faults: underFaults,
};

/**
 * Runs the scenarios one after the other.
 * @param dir a folder for all that they leave, which the caller removes
 * @param say told of what has been done
 */
export async function soak(
  { only, sizes, bundle }: Options,
  dir: string,
  say: (line: string) => void,
): Promise<Section[]> {
  const entry = bundle === undefined ? SOURCE : await takeBundle(bundle, dir);
  const sections: Section[] = [];
  for (const scenario of only) sections.push(await RUN[scenario]({ dir, entry, sizes, say }));
  return sections;
}

const SOURCE = fileURLToPath(new URL('../src/index.ts', import.meta.url));

/** Takes a copy, so that all runs are of one version, whatever becomes of the folder. */
async function takeBundle(bundle: string, dir: string): Promise<string> {
  const copy = join(dir, 'dist');
  await cp(bundle, copy, { recursive: true });
  return join(copy, 'index.js');
}
