import { ACCESS_REFUSALS, DENIALS } from './accessRefusals.ts';
import { CONTENT_REFUSALS } from './contentRefusals.ts';
import type { Failure } from './failure.ts';
import { NETWORK_REFUSALS } from './networkRefusals.ts';
import type { Refusal, Sign } from './refusal.ts';
import { SOURCE_REFUSALS } from './sourceRefusals.ts';

/** Every way in which ECR, or what lies before it, is known to refuse. The first that fits a failure counts. */
export const REFUSALS: readonly Refusal[] = [
  ...ACCESS_REFUSALS,
  ...CONTENT_REFUSALS,
  // Much that is refused is called DENIED, so that these come after what is more than that.
  ...DENIALS,
  ...NETWORK_REFUSALS,
];

/** What a failure is, if it is a known one. */
export function refusalOf(failure: Failure): Refusal | undefined {
  const known = failure.where.isSource ? [...SOURCE_REFUSALS, ...REFUSALS] : REFUSALS;
  return known.find(({ signs }) => signs.some((sign) => fits(sign, failure)));
}

function fits({ codes, status, said, by }: Sign, failure: Failure): boolean {
  const isCoded = !codes || codes.some((code) => failure.codes.includes(code));
  const isAnswered = !status || (failure.status !== undefined && status.includes(failure.status));
  const isWorded = !said || said.test(failure.said);
  return isCoded && isAnswered && isWorded && (!by || by.includes(failure.refuser));
}
