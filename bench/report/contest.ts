/** Those that do the same work, and how they are compared. */
export interface Contest {
  readonly title: string;
  readonly contenders: readonly Contender[];
  /** Those of contenders that are not there are left out. */
  readonly ratios: readonly RatioOf[];
  /** Called when the contest is over, or was broken off. */
  readonly close?: () => Promise<void>;
}

export interface Contender {
  readonly name: string;
  /** Does the work once, with whatever it takes to prepare it, and gives the seconds of the work alone. */
  run(round: number): Promise<number>;
}

export interface RatioOf {
  readonly of: string;
  readonly over: string;
  /** What the ratio should be at most. */
  readonly target?: number;
}

export interface Spread {
  readonly samples: readonly number[];
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export interface Outcome {
  readonly title: string;
  /** Seconds. */
  readonly contenders: readonly (Spread & { readonly name: string })[];
  /** Of each round by itself, so that what slows a whole round down does not count. */
  readonly ratios: readonly (Spread & RatioOf)[];
}

/** Something counted or measured once. */
export interface Finding {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The least that would do, or the most that is wanted. */
  readonly target?: number;
}

/** The round that does not count. */
const WARM_UP = -1;

/**
 * Lets all contenders do their work in turn, round after round. Each round begins with another one, so that none is
 * always first. Before all rounds the first one does it once for nothing: whoever comes first uses memory that the machine
 * never had in use before, and files that it has not read yet, which costs a second and more.
 * @param say told of each time as it is taken
 */
export async function hold(contest: Contest, rounds: number, say: (line: string) => void): Promise<Outcome> {
  const { title, contenders } = contest;
  await contenders[0]?.run(WARM_UP);
  const samples = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    const order = contenders.map((_, place) => contenders[(place + round) % contenders.length]);
    for (const contender of order) {
      if (!contender) continue;
      const seconds = await contender.run(round);
      samples.get(contender.name)?.push(seconds);
      say(`${title}: round ${round + 1}: ${contender.name}: ${seconds.toFixed(2)} s`);
    }
  }
  const of = (name: string) => samples.get(name) ?? [];
  return {
    title,
    contenders: contenders.map(({ name }) => ({ name, ...spread(of(name)) })),
    ratios: contest.ratios
      .filter((ratio) => samples.has(ratio.of) && samples.has(ratio.over))
      .map((ratio) => ({
        ...ratio,
        ...spread(of(ratio.of).map((seconds, round) => seconds / (of(ratio.over)[round] ?? Number.NaN))),
      })),
  };
}

function spread(samples: readonly number[]): Spread {
  const sorted = samples.toSorted((one, other) => one - other);
  const at = (position: number) => sorted[position] ?? Number.NaN;
  const half = (sorted.length - 1) / 2;
  return {
    samples,
    min: at(0),
    median: (at(Math.floor(half)) + at(Math.ceil(half))) / 2,
    max: at(sorted.length - 1),
  };
}
