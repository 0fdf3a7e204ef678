import { test } from '@jest/globals';
import type { Behaviour } from '../../emulator/behaviour.ts';
import type { FactId } from './rows.ts';
import { SWITCHES, type Switch } from './switches.ts';

/** A test of a row, and how the emulator behaves in it where that is its point. */
export interface Told {
  readonly id: FactId;
  readonly title: string;
  readonly setting?: { readonly name: Switch; readonly value: unknown };
}

let heard: Told[] | undefined;

/**
 * Hears of the tests that files tell of while they are loaded, instead of running them.
 * @param load imports the files
 */
export async function hear(load: () => Promise<unknown>): Promise<readonly Told[]> {
  const all: Told[] = [];
  heard = all;
  try {
    await load();
  } finally {
    heard = undefined;
  }
  return all;
}

/** A test of a row of the table, which its title names. */
export function fact(id: FactId, title: string, run: () => Promise<void>): void {
  tell({ id, title }, run);
}

/** Tests of a row for both ways of a switch: `run` is given the way, and the behaviour that has it. */
export function bothWays<S extends Switch>(
  id: FactId,
  name: S,
  title: string,
  run: (value: Behaviour[S], behaviour: Partial<Behaviour>) => Promise<void>,
): void {
  const ways: readonly Behaviour[S][] = SWITCHES[name];
  for (const value of ways) {
    tell({ id, title: `${title} (${name}: ${value})`, setting: { name, value } }, () =>
      run(value, { [name]: value }),
    );
  }
}

function tell(told: Told, run: () => Promise<void>): void {
  if (heard) heard.push(told);
  else test(`${told.id}: ${told.title}`, run);
}
