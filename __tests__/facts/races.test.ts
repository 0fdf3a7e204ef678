import { expect } from '@jest/globals';
import type { Behaviour } from '../../emulator/behaviour.ts';
import { emulate } from '../support/emulated.ts';
import { imageOf, indexOf } from '../support/images.ts';
import { type Acted, type Around, everywhere, mirror, shown, statusesOf } from './act.ts';
import { bothWays } from './fact.ts';
import { LATE } from './switches.ts';

const index = indexOf([imageOf('linux/amd64'), imageOf('linux/arm64')]);

/** Writes so seldom that the quota of PutImage has no part in it. Times are in milliseconds. */
const CALM: Around = { services: () => ({ patience: { first: 60, most: 100, limit: 5_000 } }) };

/** Publishes what the registry shows late, but does show. */
async function settle(behaviour: Partial<Behaviour>): Promise<number[]> {
  const emulator = await emulate({ behaviour });
  const { errors, states } = await mirror(index, {}, CALM);
  expect(errors).toEqual([]);
  expect(states).toEqual(everywhere('published'));
  expect(await shown(emulator)).toEqual(everywhere(index.root.digest));
  return statusesOf(emulator, 'PUT manifests');
}

bothWays(
  '15',
  'layerDelay',
  'an image is published, however late its layers show',
  async (delay, behaviour) => {
    const statuses = await settle(behaviour);
    expect(statuses.includes(404)).toBe(delay > 0);
  },
);

for (const missingLayer of ['BLOB_UPLOAD_UNKNOWN', 'MANIFEST_BLOB_UNKNOWN'] as const) {
  bothWays(
    '15',
    'raceShowsLayer',
    `a manifest is written again when it is refused as ${missingLayer}`,
    async (_, behaviour) => {
      const statuses = await settle({ ...behaviour, layerDelay: LATE, missingLayer });
      expect(statuses).toContain(missingLayer === 'BLOB_UPLOAD_UNKNOWN' ? 404 : 400);
    },
  );
}

bothWays(
  '15',
  'missingLayer',
  'a layer that shows in all ways but to manifests is waited for',
  async (code, behaviour) => {
    const statuses = await settle({ ...behaviour, layerDelay: LATE, raceShowsLayer: true });
    expect(statuses).toContain(code === 'BLOB_UPLOAD_UNKNOWN' ? 404 : 400);
  },
);

bothWays(
  '15a',
  'manifestDelay',
  'an index is published, however late its images show',
  async (delay, behaviour) => {
    const statuses = await settle(behaviour);
    expect(statuses.includes(404)).toBe(delay > 0);
  },
);

bothWays(
  '15a',
  'missingChild',
  'an index is written again when its images are said to be missing',
  async (status, behaviour) => {
    const statuses = await settle({ ...behaviour, manifestDelay: LATE });
    expect(statuses).toContain(status);
  },
);

/** Publishes what the registry does not show for as long as it is waited for. */
async function wait(behaviour: Partial<Behaviour>): Promise<Acted> {
  const emulator = await emulate({ behaviour });
  const services: Around['services'] = () => ({ patience: { first: 5, most: 20, limit: 100 } });
  const acted = await mirror(index, {}, { services });
  expect(acted.states).toEqual(everywhere('failed'));
  expect(await shown(emulator)).toEqual(everywhere(null));
  return acted;
}

bothWays(
  'e-layer',
  'missingLayer',
  'layers that never show fail the region, with what to do',
  async (code, behaviour) => {
    const { errors } = await wait({ ...behaviour, layerDelay: 60_000 });
    for (const error of errors) {
      expect(error).toContain(`: ${code}: `);
      expect(error).toMatch(/\(run the (?:job|build jobs) again/);
    }
  },
);

bothWays(
  'e-child',
  'missingChild',
  'images that never show fail the region, with what to do',
  async (status, behaviour) => {
    const { errors } = await wait({ ...behaviour, manifestDelay: 60_000 });
    for (const error of errors) {
      expect(error).toMatch(
        new RegExp(
          `answered ${status}: MANIFEST_BLOB_UNKNOWN: .*\\(run the build jobs again, and see whether a lifecycle`,
        ),
      );
    }
  },
);
