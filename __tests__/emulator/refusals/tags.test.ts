import type { Registry } from '../support.ts';
import { amd64, arm64, testCases } from './cases.ts';

const IMMUTABLE = { imageTagMutability: 'IMMUTABLE' } as const;
const filters = (filter: string) => [{ filterType: 'WILDCARD', filter }] as const;

const taken = (tag: string, what = 'tag') =>
  `The image tag '${tag}' already exists in the 'app' repository and cannot be overwritten because the ${what} is immutable.`;

async function pushBoth(registry: Registry, tag: string): Promise<Response> {
  await registry.pushImage('app', amd64, tag);
  await registry.pushImage('app', arm64);
  return registry.pushManifest('app', tag, arm64);
}

testCases([
  {
    title: 'another image under a tag of a mutable repository',
    act: (registry) => pushBoth(registry, 'v1'),
    taken: 201,
  },
  {
    title: 'another image under a taken immutable tag',
    settings: IMMUTABLE,
    act: (registry) => pushBoth(registry, 'v1'),
    refused: [400, 'TAG_INVALID', taken('v1')],
  },
  {
    title: 'the same image under its immutable tag again',
    settings: IMMUTABLE,
    act: async (registry) => {
      await registry.pushImage('app', amd64, 'v1');
      return registry.pushManifest('app', 'v1', amd64);
    },
    refused: [400, 'TAG_INVALID', taken('v1')],
  },
  {
    title: 'the same image under its immutable tag again, where that is accepted',
    settings: IMMUTABLE,
    behaviour: { sameDigestUnderImmutableTag: 'accepted' },
    act: async (registry) => {
      await registry.pushImage('app', amd64, 'v1');
      return registry.pushManifest('app', 'v1', amd64);
    },
    taken: 201,
  },
  {
    title: 'the same image by digest again in an immutable repository',
    settings: IMMUTABLE,
    act: async (registry) => {
      await registry.pushImage('app', amd64, 'v1');
      return registry.pushManifest('app', amd64.digest, amd64);
    },
    taken: 201,
  },
  {
    title: 'a taken tag that a filter excludes from an immutable repository',
    settings: {
      imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters: filters('latest*'),
    },
    act: (registry) => pushBoth(registry, 'latest-arm'),
    taken: 201,
  },
  {
    title: 'a taken tag that no filter excludes from an immutable repository',
    settings: {
      imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters: filters('latest*'),
    },
    act: (registry) => pushBoth(registry, 'not-latest'),
    refused: [400, 'TAG_INVALID', taken('not-latest')],
  },
  {
    title: 'a taken tag that a filter excludes from a mutable repository',
    settings: {
      imageTagMutability: 'MUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters: filters('v*.*'),
    },
    act: (registry) => pushBoth(registry, 'v1.0'),
    refused: [400, 'TAG_INVALID', taken('v1.0')],
  },
  {
    title: 'a taken tag that no filter excludes from a mutable repository',
    settings: {
      imageTagMutability: 'MUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters: filters('v*.*'),
    },
    act: (registry) => pushBoth(registry, 'v1x0'),
    taken: 201,
  },
  {
    title: 'one tag too many on an image',
    behaviour: { maximumTags: 1 },
    act: async (registry) => {
      await registry.pushImage('app', amd64, 'v1');
      return registry.pushManifest('app', 'v2', amd64);
    },
    refused: [405, 'UNSUPPORTED'],
  },
  {
    title: 'another image under a taken immutable tag, in the older words',
    settings: IMMUTABLE,
    behaviour: { immutableWords: 'repository' },
    act: (registry) => pushBoth(registry, 'v1'),
    refused: [400, 'TAG_INVALID', taken('v1', 'repository')],
  },
]);
