import { readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { ECR_BEHAVIOUR } from '../../emulator/behaviour.ts';
import { hear } from './fact.ts';
import { type FactId, ROWS, type Row } from './rows.ts';
import { LIMITS, SWITCHES, type Switch } from './switches.ts';

const rows: readonly [string, Row][] = Object.entries(ROWS);
const told = await hear(async () => {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const files = (await readdir(here)).filter((name) => name.endsWith('.test.ts'));
  for (const name of files.filter((each) => each !== basename(import.meta.url))) await import(`./${name}`);
});

/** What a row's tests set a switch to. */
function valuesIn(name: Switch, id?: string): unknown[] {
  return told.flatMap((each) =>
    each.setting?.name === name && (id === undefined || each.id === id) ? [each.setting.value] : [],
  );
}

describe('the table of facts', () => {
  test('has a test for every row that can be tested, whose title names the row', () => {
    const tested = new Set<FactId>(told.map(({ id }) => id));
    const untested = rows.filter(([, { untested: why }]) => why !== undefined).map(([id]) => id);
    expect([...tested, ...untested].toSorted()).toEqual(rows.map(([id]) => id).toSorted());
  });

  test('has no two tests of one title', () => {
    const titles = told.map(({ id, title }) => `${id}: ${title}`);
    expect(titles.filter((title, position) => titles.indexOf(title) !== position)).toEqual([]);
  });

  test.each(rows.flatMap(([id, { switches = [] }]) => switches.map((name) => [id, name] as const)))(
    'has tests of %s for both ways of %s',
    (id, name) => {
      expect(valuesIn(name, id)).toEqual(expect.arrayContaining([...SWITCHES[name]]));
    },
  );

  test('names the switches that its tests use', () => {
    const used = told.flatMap(({ id, setting }) => (setting ? [`${id} ${setting.name}`] : []));
    const named = rows.flatMap(([id, { switches = [] }]) => switches.map((name) => `${id} ${name}`));
    expect([...new Set(used)].toSorted()).toEqual(named.toSorted());
  });

  test('has all that the emulator can do in one way or another, and begins with what it does', () => {
    const numbers: readonly string[] = LIMITS;
    const switched = Object.keys(ECR_BEHAVIOUR).filter((name) => !numbers.includes(name));
    const named = new Set(rows.flatMap(([, { switches = [] }]) => switches));
    expect([...named].toSorted()).toEqual(switched.toSorted());
    expect(Object.keys(SWITCHES).toSorted()).toEqual(switched.toSorted());
    for (const [name, [first, second]] of Object.entries(SWITCHES)) {
      expect(Object.entries(ECR_BEHAVIOUR)).toContainEqual([name, first]);
      expect(second).not.toEqual(first);
    }
  });
});
