import { describe, expect, test } from '@jest/globals';
import { attestationOf, imageOf, indexOf } from '../support/images.ts';
import { REGIONS, startCloud } from './cloud.ts';
import { layoutInputs, releaseInputs } from './layouts.ts';
import { each, statesOf } from './results.ts';
import { runStep } from './step.ts';

describe('a build without a hand-off', () => {
  test('publishes a layout under its tags in every region, and says so', async () => {
    const cloud = await startCloud();
    const image = imageOf('linux/arm64');
    const inputs = { ...(await layoutInputs(image)), legs: 'none', tags: 'v1,latest' };
    const { errors, outputs, summary, leftovers } = await runStep(inputs);
    expect(errors).toEqual([]);
    const { digest } = image.root;
    expect(await cloud.shown('v1')).toEqual(REGIONS.map(() => digest));
    expect(await cloud.shown('latest')).toEqual(REGIONS.map(() => digest));
    expect([...outputs.keys()].toSorted()).toEqual(['digest', 'images', 'metadata', 'results']);
    expect(outputs.get('digest')).toBe(digest);
    const hosts = REGIONS.map((region) => new URL(cloud.emulator.url(region)).host);
    expect(JSON.parse(outputs.get('images') ?? '')).toEqual(
      hosts.flatMap((host) => [`${host}/team/app:v1`, `${host}/team/app:latest`]),
    );
    expect(statesOf(outputs.get('results'))).toEqual(each(REGIONS, 'published'));
    expect(() => JSON.parse(outputs.get('metadata') ?? '')).not.toThrow();
    for (const region of REGIONS) expect(summary).toMatch(new RegExp(`^\\| ${region} .*linux/arm64`, 'm'));
    expect(leftovers).toEqual([]);
  });

  test('lands by digest alone when there are no tags', async () => {
    const cloud = await startCloud();
    const image = imageOf('linux/amd64');
    const { errors, outputs } = await runStep({ ...(await layoutInputs(image)), legs: 'none' });
    expect(errors).toEqual([]);
    expect(statesOf(outputs.get('results'))).toEqual(each(REGIONS, 'landed'));
    expect(await cloud.shown(image.root.digest)).toEqual(REGIONS.map(() => image.root.digest));
    expect(outputs.get('images')).toContain(`/team/app@${image.root.digest}`);
  });

  test('publishes an index of several platforms with its attestations, byte for byte', async () => {
    const cloud = await startCloud();
    const [amd64, arm64] = [imageOf('linux/amd64'), imageOf('linux/arm64')];
    const index = indexOf([amd64, arm64, attestationOf(amd64)], { annotations: { z: '1', a: '2' } });
    const { errors } = await runStep({ ...(await layoutInputs(index)), legs: 'none', tags: 'v1' });
    expect(errors).toEqual([]);
    expect(await cloud.shown('v1')).toEqual(REGIONS.map(() => index.root.digest));
  });

  test('that was done before writes nothing', async () => {
    const cloud = await startCloud();
    const inputs = await releaseInputs();
    await runStep(inputs);
    const before = cloud.writes().length;
    const { errors, outputs } = await runStep(inputs);
    expect(errors).toEqual([]);
    expect(statesOf(outputs.get('results'))).toEqual(each(REGIONS, 'unchanged'));
    expect(before).toBeGreaterThan(0);
    expect(cloud.writes()).toHaveLength(before);
  });

  test('creates the repositories that are missing when it shall', async () => {
    const cloud = await startCloud({ repository: false });
    const { errors } = await runStep({ ...(await releaseInputs()), 'create-repository': 'true' });
    expect(errors).toEqual([]);
    expect(await cloud.shown('v1')).not.toContain(undefined);
  });
});

describe('tokens', () => {
  test('are masked before any request to the registry, in every region', async () => {
    const cloud = await startCloud();
    const early: string[] = [];
    const { errors } = await runStep(await releaseInputs(), {}, (token) => {
      const region = REGIONS.find((name) => passwordOf(token).includes(name));
      const used = cloud.emulator.requests.some(
        (request) => request.region === region && request.path.startsWith('/v2/'),
      );
      if (region && !used) early.push(region);
    });
    expect(errors).toEqual([]);
    expect(early.toSorted()).toEqual(REGIONS.toSorted());
  });
});

/** What a token says, the readable part of its password included. */
function passwordOf(token: string): string {
  const [payload = ''] = Buffer.from(token, 'base64').toString().replace(/^AWS:/, '').split('.');
  return Buffer.from(payload, 'base64url').toString();
}
