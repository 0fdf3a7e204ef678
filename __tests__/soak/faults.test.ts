import { describe, expect, test } from '@jest/globals';
import type { FaultOutcome, RequestFacts } from '../../emulator/traffic.ts';
import { FAULT_KINDS, Faults, QUICK_REFUSALS, type Refusal } from '../../soak/world/faults.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;
const REQUESTS: Readonly<Record<string, string>> = {
  'begins a blob': 'POST blobs/uploads/',
  'sends a blob': 'PUT blobs/uploads/1?digest=x',
  'reads a blob': `GET blobs/${DIGEST}`,
  'writes an image': `PUT manifests/${DIGEST}`,
  'reads an image': `GET manifests/${DIGEST}`,
  'writes a tag': 'PUT manifests/v1',
  'asks for a tag': 'HEAD manifests/v1',
  'reads a tag': 'GET manifests/v1',
};

function requestOf(what: string, { region = 'us-east-1', repository = 'team/app' } = {}): RequestFacts {
  const [method = '', path = ''] = (REQUESTS[what] ?? '').split(' ');
  return { region, method, path: `/v2/${repository}/${path}` };
}

async function refusedIn(
  faults: Faults,
  where?: { region?: string; repository?: string },
): Promise<string[]> {
  const outcomes = await Promise.all(
    Object.keys(REQUESTS).map(async (what) => ((await faults.fault(requestOf(what, where))) ? [what] : [])),
  );
  return outcomes.flat();
}

describe('a region that refuses', () => {
  const outage = (refusal: Refusal) => ({ region: 'us-east-1', refusal });

  test.each<[Refusal, string[]]>([
    ['blobs', ['sends a blob']],
    ['images', ['writes an image']],
    ['tags', ['writes a tag']],
    ['tags, as if it were down', ['writes a tag']],
    ['reading', ['asks for a tag', 'reads a tag']],
  ])('%s refuses that alone, and for as long as it is told to', async (refusal, expected) => {
    const faults = new Faults(0);
    const during = await faults.during('team/app', outage(refusal), () => refusedIn(faults));
    expect(during).toEqual(expected);
    expect(await refusedIn(faults)).toEqual([]);
    expect(faults.counts.get('refused')).toBe(expected.length);
  });

  test.each([{ region: 'eu-west-1' }, { repository: 'team/other' }])(
    'refuses nothing of %p',
    async (where) => {
      const faults = new Faults(0);
      for (const refusal of QUICK_REFUSALS) {
        expect(await faults.during('team/app', outage(refusal), () => refusedIn(faults, where))).toEqual([]);
      }
    },
  );
});

describe('passing faults', () => {
  test('are of every kind, and as many as asked for', async () => {
    const faults = new Faults(0.5);
    const outcomes: FaultOutcome[] = [];
    for (let count = 0; count < 2_000; count += 1)
      outcomes.push(await faults.fault(requestOf('reads a tag')));
    const failed = outcomes.filter((outcome) => outcome !== undefined).length;
    expect(failed).toBeGreaterThan(800);
    expect(failed).toBeLessThan(1_200);
    expect([...faults.counts.keys()].toSorted()).toEqual(
      FAULT_KINDS.filter((kind) => kind !== 'refused').toSorted(),
    );
  });

  test('are worded as the API words them that is asked', async () => {
    const faults = new Faults(1);
    const codes = async (request: RequestFacts) => {
      const seen = new Set<string>();
      for (let count = 0; count < 200; count += 1) {
        const outcome = await faults.fault(request);
        if (typeof outcome === 'object') seen.add(`${outcome.status} ${outcome.code}`);
      }
      return [...seen].toSorted();
    };
    const api = { region: 'us-east-1', method: 'POST', path: '/' };
    expect(await codes(requestOf('reads a tag'))).toEqual(['429 TOOMANYREQUESTS', '500 UNKNOWN']);
    expect(await codes({ ...api, operation: 'GetAuthorizationToken' })).toEqual([
      '400 ThrottlingException',
      '500 ServerException',
    ]);
    expect(await codes(api)).toEqual(['400 Throttling', '500 InternalFailure']);
  });

  test('leave alone what the soak itself asks, and end', async () => {
    const faults = new Faults(1);
    const looking = { region: 'us-east-1', method: 'POST', path: '/', operation: 'ListImages' };
    expect(await faults.fault(looking)).toBeUndefined();
    faults.stop();
    expect(await refusedIn(faults)).toEqual([]);
  });
});
