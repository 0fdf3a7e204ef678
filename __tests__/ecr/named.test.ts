import { describe, expect, test } from '@jest/globals';
import { nameDestinations } from '../../src/ecr/named.ts';
import type { Place, PrivatePlace } from '../../src/ecr/places.ts';
import { imageOf } from '../support/images.ts';

const AWS = { registryEndpoint: undefined, publicEndpoint: undefined };

function ours(more: Partial<PrivatePlace> = {}): PrivatePlace {
  return {
    kind: 'private',
    region: 'us-east-1',
    account: '123456789012',
    repository: 'team/app',
    role: undefined,
    fips: false,
    dualStack: false,
    ...more,
  };
}

describe('a place that is not opened', () => {
  test.each<[string, Place, string]>([
    ['a region', ours(), '123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app'],
    [
      'a region in an account that is not known',
      ours({ account: undefined }),
      'ACCOUNT.dkr.ecr.us-east-1.amazonaws.com/team/app',
    ],
    [
      'a region of another partition',
      ours({ region: 'cn-north-1' }),
      '123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/team/app',
    ],
    [
      'a FIPS endpoint',
      ours({ fips: true, dualStack: true }),
      '123456789012.dkr-ecr-fips.us-east-1.on.aws/team/app',
    ],
    [
      'Amazon ECR Public',
      { kind: 'public', repository: 'alias/app', role: undefined },
      'public.ecr.aws/alias/app',
    ],
    ['another registry', { kind: 'other', registry: 'ghcr.io', repository: 'org/app' }, 'ghcr.io/org/app'],
  ])('is named as %s by host and repository', (_, place, image) => {
    expect(nameDestinations([place], AWS).map((each) => each.image)).toEqual([image]);
  });

  test.each([
    ['http://{account}.dkr.ecr.{region}.localhost:4566', 'ACCOUNT.dkr.ecr.us-east-1.localhost:4566/team/app'],
    ['https://registry.example/', 'registry.example/team/app'],
  ])('is named by the address that registries have instead: %s', (registryEndpoint, image) => {
    const places = [ours({ account: undefined })];
    expect(nameDestinations(places, { ...AWS, registryEndpoint })[0]?.image).toBe(image);
  });

  test("is named by ECR Public's other address, where there is one", () => {
    const places: Place[] = [{ kind: 'public', repository: 'alias/app', role: undefined }];
    const addresses = { ...AWS, publicEndpoint: 'http://127.0.0.1:4566' };
    expect(nameDestinations(places, addresses)[0]?.image).toBe('127.0.0.1:4566/alias/app');
  });

  test('has the name that it has in all messages', () => {
    const places = [ours(), ours({ account: '210987654321' })];
    expect(nameDestinations(places, AWS).map(({ name }) => name)).toEqual([
      '123456789012/us-east-1',
      '210987654321/us-east-1',
    ]);
  });

  test('refuses what it would refuse if it were open', () => {
    const { root } = imageOf('linux/amd64', { layers: [''] });
    const elsewhere: Place = { kind: 'other', registry: 'ghcr.io', repository: 'org/app' };
    const [ecr, other] = nameDestinations([ours(), elsewhere], AWS);
    expect(ecr?.refusals(root)).toEqual([expect.stringContaining('ECR takes no blob of 0 bytes')]);
    expect(other?.refusals(root)).toEqual([]);
  });
});
