import type { Fault, FaultOutcome, RequestFacts } from '../../emulator/traffic.ts';
import { LOOKING } from './world.ts';

/** What a region refuses of one repository for as long as one publish takes. */
export type Refusal = 'blobs' | 'images' | 'tags' | 'reading' | 'tags, as if it were down';

/** Those that end a publish soon: no other try would help. */
export const QUICK_REFUSALS: readonly Refusal[] = ['tags', 'blobs', 'images', 'reading'];

/** The kinds of passing faults, each of them as often: two answers, a cut connection, and an answer that is lost. */
const PASSING = ['500', '429', 'reset', 'lost'] as const;
type FaultKind = (typeof PASSING)[number] | 'refused';
export const FAULT_KINDS: readonly FaultKind[] = [...PASSING, 'refused'];

interface Outage {
  readonly region: string;
  readonly refusal: Refusal;
}

/** Faults that pass, at random, and outages of one region for one repository, which do not. */
export class Faults {
  /** How many there were of each kind. */
  readonly counts = new Map<FaultKind, number>();
  readonly #share: number;
  readonly #outages = new Map<string, Outage>();
  #on = true;

  /** @param share of all requests */
  constructor(share: number) {
    this.#share = share;
  }

  readonly fault: Fault = (request) => {
    if (!this.#on || request.operation === LOOKING) return undefined;
    const outcome = this.#refusal(request);
    if (outcome) return this.#count('refused', outcome);
    if (Math.random() >= this.#share) return undefined;
    const kind = PASSING[Math.floor(Math.random() * PASSING.length)] ?? '500';
    return this.#count(kind, passing(kind, request));
  };

  /** Has a region refuse something while work is done. */
  async during<T>(repository: string, outage: Outage, work: () => Promise<T>): Promise<T> {
    this.#outages.set(repository, outage);
    try {
      return await work();
    } finally {
      this.#outages.delete(repository);
    }
  }

  /** Ends all faults. */
  stop(): void {
    this.#on = false;
  }

  #refusal({ region, method, path }: RequestFacts): FaultOutcome {
    const [, repository = '', what = ''] = /^\/v2\/(.+?)\/((?:blobs|manifests)\/.*)$/.exec(path) ?? [];
    const outage = this.#outages.get(repository);
    if (outage?.region !== region || !concerns(outage.refusal, method, what)) return undefined;
    return outage.refusal === 'tags, as if it were down'
      ? { status: 503, code: 'UNAVAILABLE', message: 'the region is down' }
      : { status: 403, code: 'DENIED', message: 'the region refuses it' };
  }

  #count(kind: FaultKind, outcome: FaultOutcome): FaultOutcome {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    return outcome;
  }
}

/** @param what the part of the path after the repository's name */
function concerns(refusal: Refusal, method: string, what: string): boolean {
  const isTag = /^manifests\/(?!sha256:)/.test(what);
  switch (refusal) {
    case 'blobs':
      return method === 'PUT' && what.startsWith('blobs/');
    case 'images':
      return method === 'PUT' && what.startsWith('manifests/sha256:');
    case 'tags':
    case 'tags, as if it were down':
      return method === 'PUT' && isTag;
    case 'reading':
      return method !== 'PUT' && isTag;
  }
}

function passing(kind: (typeof PASSING)[number], { operation, path }: RequestFacts): FaultOutcome {
  if (kind === 'reset' || kind === 'lost') return kind;
  const isRegistry = path.startsWith('/v2/');
  if (kind === '429') {
    // The APIs answer 400 to a request that is one too many, and tell by the exception's name.
    return isRegistry
      ? { status: 429, code: 'TOOMANYREQUESTS', message: 'Rate exceeded' }
      : {
          status: 400,
          code: operation === undefined ? 'Throttling' : 'ThrottlingException',
          message: 'Rate exceeded',
        };
  }
  const code = isRegistry ? 'UNKNOWN' : operation === undefined ? 'InternalFailure' : 'ServerException';
  return { status: 500, code, message: 'an internal error' };
}
