import type { Failure, Refuser } from './failure.ts';

/** How a refusal may be recognised: all that is given has to be so. */
export interface Sign {
  /** One of the failure's codes. */
  readonly codes?: readonly string[];
  /** The status of the registry's answer. */
  readonly status?: readonly number[];
  /** What is in the words of whoever refused. */
  readonly said?: RegExp;
  readonly by?: readonly Refuser[];
}

/** One way to be refused, and what to do about it. */
export interface Refusal {
  /** What is the matter, in a few words. */
  readonly title: string;
  /** Any of them is enough. */
  readonly signs: readonly Sign[];
  /** What to do next, in one sentence. */
  readonly advice: (failure: Failure) => string;
  /** Whether the advice says it all, and is the same for every region. */
  readonly everywhere?: true;
}
