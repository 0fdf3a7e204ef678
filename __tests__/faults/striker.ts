import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, RequestFacts } from '../../emulator/traffic.ts';
import type { Kind, Powers, Span } from './kinds.ts';
import { TAG } from './release.ts';
import type { Scenario } from './scenarios.ts';
import type { Seen, Step } from './steps.ts';

/** What decides which requests of a cell fail, and how. */
export interface Striker {
  readonly fault: (powers: Powers) => Fault;
  /** How many requests were struck. */
  readonly struck: number;
}

/** Strikes one step with one kind of fault. */
export function strikerOf(step: Step, kind: Kind, span: Span, scenario: Scenario): Striker {
  const most = span === 'once' ? (kind.once ?? 0) : Number.POSITIVE_INFINITY;
  const seen = new Map<string, Seen>();
  let struck = 0;
  return {
    get struck() {
      return struck;
    },
    fault: (powers) => async (request) => {
      const before = seen.get(request.region) ?? { tagWrites: 0, readsSince: 0, deleted: false, assumed: 0 };
      seen.set(request.region, after(before, request));
      if (request.region === step.region && step.matches(request, before) && struck < most) {
        struck += 1;
        await worstMoment(step, powers);
        return kind.strike(request, powers, span);
      }
      return scenario.refused?.(request);
    },
  };
}

/** How long the worst moment is waited for, in milliseconds: far longer than it takes. */
const MOMENT = 20_000;

async function worstMoment({ isWorst }: Step, { shown }: Powers): Promise<void> {
  const deadline = performance.now() + MOMENT;
  while (isWorst?.(shown) === false && performance.now() < deadline) await sleep(2);
}

function after(before: Seen, { method, path, operation }: RequestFacts): Seen {
  if (operation === 'BatchDeleteImage') return { ...before, deleted: true };
  if (method === 'POST' && path === '/' && operation === undefined)
    return { ...before, assumed: before.assumed + 1 };
  if (!path.endsWith(`/manifests/${TAG}`)) return before;
  if (method === 'PUT') return { ...before, tagWrites: before.tagWrites + 1, readsSince: 0 };
  return { ...before, readsSince: before.readsSince + 1 };
}
