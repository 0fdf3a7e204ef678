import { describe, expect, test } from '@jest/globals';
import type { RequestFacts } from '../../emulator/traffic.ts';
import { REGIONS, REPOSITORY, startCloud } from './cloud.ts';
import { legInputs, releaseInputs, TARGET } from './layouts.ts';
import { each, statesOf } from './results.ts';
import { runStep } from './step.ts';

const [FIRST = '', SECOND = '', ...OTHERS] = REGIONS;
const DENIED = { status: 403, code: 'DENIED', message: 'not authorized to perform this' };

/** Refuses requests of the second region that this pattern fits, as "METHOD path". */
function refusing(pattern: RegExp) {
  return ({ region, method, path }: RequestFacts) =>
    region === SECOND && pattern.test(`${method} ${path}`) ? DENIED : undefined;
}

describe('a region that fails', () => {
  test.each([
    ['a layer', /^PUT .*\/blobs\/uploads\//],
    ['the manifest', /^PUT .*\/manifests\/sha256:/],
    ['the tag', /^PUT .*\/manifests\/v1$/],
  ])('at %s leaves no tag in any region, and says what it was', async (_, pattern) => {
    const cloud = await startCloud({ fault: refusing(pattern) });
    const { errors, outputs, summary, leftovers } = await runStep(await releaseInputs());
    const [others, own] = [REGIONS.filter((region) => region !== SECOND).join(', '), SECOND];
    expect(errors.map((error) => error.split('\n'))).toEqual([
      [
        expect.stringMatching(
          /^- eu-west-1: team\/app: .*not authorized.*\(allow ecr:\w+ .*on arn:aws:ecr:eu-west-1:/,
        ),
        `- now in ${others}: v1 shows nothing, as before`,
        `- now in ${own}: v1 shows nothing`,
      ],
    ]);
    expect(statesOf(outputs.get('results'))).toEqual({ ...each(REGIONS, 'held back'), [SECOND]: 'failed' });
    expect(outputs.get('images')).toBe('[]');
    expect(summary).toMatch(/^### Not published: team\/app$/m);
    expect(await cloud.shown('v1')).toEqual(REGIONS.map(() => undefined));
    expect(leftovers).toEqual([]);
  });

  test('and does not let a tag be taken back names what is to be allowed for either', async () => {
    await startCloud({
      fault: (request) => {
        if (request.operation === 'BatchDeleteImage') {
          return { status: 400, code: 'AccessDeniedException', message: 'no' };
        }
        return refusing(/^PUT .*\/manifests\/v2$/)(request);
      },
    });
    const { errors } = await runStep({ ...(await releaseInputs()), tags: 'v1, v2' });
    const own = errors[0]?.split('\n').find((line) => line.startsWith(`- ${SECOND}: `));
    expect(own).toMatch(
      /not authorized .*\(allow ecr:PutImage on .*\); v1 may show the new image, .*\(allow ecr:BatchDeleteImage on /,
    );
  });

  test('leaves a tag that was there where it was, everywhere', async () => {
    let broken = false;
    const refuse = refusing(/^PUT .*\/manifests\/v1$/);
    const cloud = await startCloud({ fault: (request) => (broken ? refuse(request) : undefined) });
    const first = await runStep(await releaseInputs('first'));
    broken = true;
    const second = await runStep(await releaseInputs('second'));
    expect(second.outputs.get('digest')).not.toBe(first.outputs.get('digest'));
    expect(await cloud.shown('v1')).toEqual(REGIONS.map(() => first.outputs.get('digest')));
  });

  test('leaves no leg for the stitch', async () => {
    const cloud = await startCloud({ fault: refusing(/^PUT .*\/blobs\/uploads\//) });
    const leg = await runStep(await legInputs('linux/amd64'), cloud.job('build'));
    expect(leg.errors).toHaveLength(1);
    const { errors } = await runStep({ ...TARGET, mode: 'stitch', tags: 'v1' }, cloud.job('stitch'));
    expect(errors).toEqual([expect.stringMatching(/^no leg of "team\/app" was found/)]);
  });
});

describe('immutable tags', () => {
  async function startImmutable() {
    const cloud = await startCloud({ repository: false });
    cloud.emulator.createRepository(REPOSITORY, { imageTagMutability: 'IMMUTABLE' }, [FIRST, SECOND]);
    cloud.emulator.createRepository(REPOSITORY, {}, OTHERS);
    return cloud;
  }

  test('take the same image again', async () => {
    await startImmutable();
    await runStep(await releaseInputs());
    const { errors, outputs } = await runStep(await releaseInputs());
    expect(errors).toEqual([]);
    expect(statesOf(outputs.get('results'))).toEqual(each(REGIONS, 'unchanged'));
  });

  test('refuse another image: both regions are told of, and all show what they did', async () => {
    const cloud = await startImmutable();
    const first = await runStep(await releaseInputs('first'));
    const { errors, outputs } = await runStep(await releaseInputs('second'));
    const lines = (errors[0] ?? '').split('\n');
    const refusal = (region: string) =>
      expect.stringMatching(
        new RegExp(
          `^- ${region}: team/app: the tag "v1" is immutable and shows sha256:\\w+, not sha256:\\w+: `,
        ),
      );
    const kept = first.outputs.get('digest')?.slice(0, 19);
    expect(lines).toEqual([
      refusal(FIRST),
      refusal(SECOND),
      `- now in ${FIRST}, ${SECOND}: v1 shows ${kept}`,
      `- now in ${OTHERS.join(', ')}: v1 shows ${kept}, as before`,
    ]);
    expect(errors).toHaveLength(1);
    expect(statesOf(outputs.get('results'))).toEqual({
      ...each(REGIONS, 'held back'),
      [FIRST]: 'failed',
      [SECOND]: 'failed',
    });
    expect(await cloud.shown('v1')).toEqual(REGIONS.map(() => first.outputs.get('digest')));
  });
});
