import type { FaultAnswer, FaultOutcome, RequestFacts } from '../../emulator/traffic.ts';
import type { Digest } from '../../src/image/digest.ts';
import { BLOBS } from './release.ts';

/** What a fault may do to the world. */
export interface Powers {
  /** Where a redirect leads: another origin, which has all content. */
  readonly elsewhere: string;
  readonly regions: readonly string[];
  /** How the registry there says that it wants a token. */
  challenge(region: string): string;
  /** What the release's tag shows there. */
  shown(region: string): Digest | undefined;
  /** Cuts regions off, for a moment or for good, and the request that is there with them. */
  cutOff(regions: readonly string[], span: Span): Promise<'reset'>;
  /** Sets the emulator's clock ahead, or back, by so many milliseconds. */
  leap(milliseconds: number): void;
  /** Has the disk take nothing any more. */
  fillDisk(): void;
}

/** How long a fault lasts: for one request or a few, or for good. */
export type Span = 'once' | 'lasting';

/** One way to fail. */
export interface Kind {
  readonly title: string;
  /** How many requests it strikes where it does not last; none where it cannot pass. */
  readonly once?: number;
  readonly lasting: boolean;
  /** Whether it is noticed by nothing but the time that it takes. */
  readonly waits?: boolean;
  strike(request: RequestFacts, powers: Powers, span: Span): FaultOutcome | Promise<FaultOutcome>;
}

/** A day is more than any token is good for. */
const DAY = 24 * 60 * 60 * 1_000;

function answer(status: number, code: string, message: string, more: Partial<FaultAnswer> = {}) {
  return { once: 1, lasting: true, strike: () => ({ status, code, message, ...more }) };
}

/** Whether a request is one of AWS's APIs, which word their errors otherwise than registries do: ECR's or STS's. */
function isWorded({ operation, path }: RequestFacts): boolean {
  return operation !== undefined || path === '/';
}

function worded(v2: FaultAnswer, api: FaultAnswer): Pick<Kind, 'strike'> {
  return { strike: (request) => (isWorded(request) ? api : v2) };
}

function wire(outcome: FaultOutcome): Omit<Kind, 'title'> {
  return { once: 1, lasting: true, strike: () => outcome };
}

const HTML = {
  body: '<html><body><h1>502 Bad Gateway</h1></body></html>',
  headers: { 'Content-Type': 'text/html' },
};

/** What says that everything is there. */
const ALL_LAYERS = JSON.stringify({
  layers: [...BLOBS].map(([layerDigest, { byteLength }]) => ({
    layerDigest,
    layerSize: byteLength,
    layerAvailability: 'AVAILABLE',
  })),
  failures: [],
});

/** Every kind of fault. */
export const KINDS = {
  down: {
    title: 'the region refuses connections',
    once: 1,
    lasting: true,
    strike: ({ region }, { cutOff }, span) => cutOff([region], span),
  },
  'all down': {
    title: 'all regions refuse connections',
    once: 1,
    lasting: true,
    strike: (_, { cutOff, regions }, span) => cutOff(regions, span),
  },
  reset: { title: 'the connection is reset', ...wire('reset') },
  lost: { title: 'it is done, and the answer lost', ...wire('lost') },
  'cut up': { title: "reset in the middle of the request's body", ...wire('cut request') },
  'cut down': { title: "reset in the middle of the answer's body", ...wire('cut answer') },
  short: { title: 'the answer ends too soon', ...wire('short answer') },
  half: { title: 'half of a status line', ...wire('cut head') },
  silent: { title: 'a black hole', waits: true, ...wire('silence') },
  slow: { title: 'a slow link', ...wire('slow answer') },
  drip: { title: 'an answer that only drips', waits: true, ...wire('dripping answer') },
  '408': { title: '408', ...answer(408, 'RequestTimeout', 'the request took too long') },
  '429': {
    title: 'a storm of 429',
    once: 4,
    lasting: true,
    ...worded(
      { status: 429, code: 'TOOMANYREQUESTS', message: 'Rate exceeded' },
      { status: 400, code: 'ThrottlingException', message: 'Rate exceeded' },
    ),
  },
  '500': { title: '500', ...answer(500, 'InternalFailure', 'an internal error') },
  '502': { title: '502 of a proxy, in HTML', ...answer(502, '', '', HTML) },
  '503': {
    title: '503 with Retry-After',
    ...answer(503, 'ServiceUnavailable', 'later', { headers: { 'Retry-After': '1' } }),
  },
  '401': {
    title: '401: the token has expired',
    once: 1,
    lasting: true,
    strike: (request, { challenge }) =>
      isWorded(request)
        ? { status: 400, code: 'ExpiredTokenException', message: 'The security token included is expired' }
        : {
            status: 401,
            code: 'UNAUTHORIZED',
            message: 'Not Authorized',
            headers: { 'WWW-Authenticate': challenge(request.region) },
          },
  },
  '403': {
    title: "403: the same in ECR's way",
    ...answer(403, 'DENIED', 'Your authorization token has expired. Reauthenticate and try again.'),
  },
  ahead: {
    title: 'the clock leaps ahead by a day',
    once: 1,
    lasting: false,
    strike: (_, { leap }) => void leap(DAY),
  },
  behind: {
    title: 'the clock is set back by a day',
    once: 1,
    lasting: false,
    strike: (_, { leap }) => void leap(-DAY),
  },
  'wrong up': { title: "a wrong byte in the request's body", ...wire('wrong request') },
  'wrong down': { title: "a wrong byte in the answer's body", ...wire('wrong answer') },
  less: { title: 'less declared than sent', ...wire('less declared') },
  more: { title: 'more declared than sent', waits: true, ...wire('more declared') },
  redirect: {
    title: 'a redirect to elsewhere',
    once: 1,
    lasting: true,
    strike: ({ region, path }, { elsewhere }) => ({
      status: 307,
      code: 'MOVED',
      message: 'elsewhere',
      headers: { Location: `${elsewhere}/${region}${path}` },
    }),
  },
  lie: {
    title: 'it says that what is missing is there',
    lasting: true,
    strike: ({ operation }) => ({
      status: 200,
      code: '',
      message: '',
      headers: { 'Content-Length': '7' },
      ...(operation && { body: ALL_LAYERS, headers: {} }),
    }),
  },
  disk: {
    title: 'the disk is full',
    once: 1,
    lasting: false,
    strike: (_, { fillDisk }) => void fillDisk(),
  },
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;

export const KIND_NAMES = Object.keys(KINDS).filter(isKind);

function isKind(name: string): name is KindName {
  return Object.hasOwn(KINDS, name);
}

export function kindOf(name: KindName): Kind {
  return KINDS[name];
}
