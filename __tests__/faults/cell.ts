import { setTimeout as sleep } from 'node:timers/promises';
import {
  apart,
  complaintsAbout,
  type Ending,
  type Letter,
  leftOf,
  letterOf,
  shownIn,
  unmoved,
} from './invariants.ts';
import { type KindName, kindOf, type Span } from './kinds.ts';
import { OLD } from './release.ts';
import { scenarioOf } from './scenarios.ts';
import { type StepName, stepOf } from './steps.ts';
import { strikerOf } from './striker.ts';
import { startWorld } from './world.ts';

/** Far more than any cell takes, on a busy machine too: what is not over by then hangs, in milliseconds. */
const BOUND = 60_000;

/** One step, struck by one kind of fault. */
export interface Cell {
  readonly step: StepName;
  readonly kind: KindName;
  readonly span: Span;
}

export interface Verdict extends Cell {
  readonly letter: Letter;
  /** What is wrong, whatever was expected. */
  readonly complaints: readonly string[];
  /** How it ended, for people. */
  readonly said: readonly string[];
}

/**
 * Carries a step out in a cloud of its own while it is struck, and looks at what it leaves.
 * @param id tells the clouds of a run apart
 */
export async function tryCell(cell: Cell, id: number): Promise<Verdict> {
  const step = stepOf(cell.step);
  const scenario = scenarioOf(step.scenario);
  const kind = kindOf(cell.kind);
  const striker = strikerOf(step, kind, cell.span, scenario);
  const world = await startWorld({
    id,
    regions: scenario.regions,
    ...(scenario.behaviour && { behaviour: scenario.behaviour }),
    ...(scenario.roles && { roles: scenario.roles }),
    fault: striker.fault,
    ...(kind.waits && { silence: cell.span }),
  });
  try {
    await scenario.prepare(world.emulator);
    const ending = await endingOf(scenario.run(world.services));
    if (ending === 'hangs') return { ...cell, letter: '?', complaints: ['it hangs'], said: [] };
    const before = scenario.tagged ? OLD.root.digest : undefined;
    const { keeps = [], beside = [] } = scenario;
    const moving = scenario.regions.filter((region) => !keeps.includes(region));
    const shown = shownIn(world.emulator, moving);
    const complaints = [
      ...(striker.struck > 0 ? [] : ['the step did not come']),
      ...(await complaintsAbout(world, ending, shown, before)),
      ...unmoved(world.emulator, keeps),
      ...apart(world.emulator, moving, beside, ending),
      ...(await leftOf(world)),
    ];
    return { ...cell, letter: letterOf(ending, shown, before), complaints, said: saidBy(ending) };
  } finally {
    await world.leave();
    await world.end();
  }
}

async function endingOf(
  work: Promise<Exclude<Ending, { error: unknown }>['outcome']>,
): Promise<Ending | 'hangs'> {
  const patience = new AbortController();
  try {
    return await Promise.race([
      work.then(
        (outcome) => ({ outcome }),
        (error: unknown) => ({ error }),
      ),
      sleep(BOUND, 'hangs' as const, { signal: patience.signal }),
    ]);
  } finally {
    patience.abort();
  }
}

function saidBy(ending: Ending): string[] {
  if ('error' in ending) return [String(ending.error)];
  return ending.outcome.results.map(
    ({ destination, state, error }) => `${destination} ${state}${error ? `: ${error}` : ''}`,
  );
}
