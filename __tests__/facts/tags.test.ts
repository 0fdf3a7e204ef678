import { expect } from '@jest/globals';
import type { EmulatorOptions } from '../../emulator/emulator.ts';
import type { RepositorySettings } from '../../emulator/state/settings.ts';
import { logIn, imageOf as rawImage } from '../emulator/support.ts';
import { emulate } from '../support/emulated.ts';
import { attestationOf, imageOf, indexOf } from '../support/images.ts';
import {
  type Around,
  everywhere,
  kindOf,
  land,
  mirror,
  problemsOf,
  publish,
  shown,
  statusesOf,
  stitch,
} from './act.ts';
import { bothWays, fact } from './fact.ts';

const [amd64, arm64] = [imageOf('linux/amd64'), imageOf('linux/arm64')];
const index = indexOf([amd64, arm64]);
const other = indexOf([imageOf('linux/amd64', { layers: ['other'] })]);
const REPOSITORY = 'team/app';

/** An emulator whose repository has these settings everywhere. */
async function start(settings: Partial<RepositorySettings>, options: Partial<EmulatorOptions> = {}) {
  const emulator = await emulate({ repositories: [], ...options });
  emulator.createRepository(REPOSITORY, settings);
  return emulator;
}

fact('9b', 'a tag of 128 characters is published, as many as other registries take', async () => {
  const tag = 'x'.repeat(128);
  const emulator = await emulate();
  expect((await mirror(index, { tags: tag })).states).toEqual(everywhere('published'));
  expect(await shown(emulator, tag)).toEqual(everywhere(index.root.digest));
});

for (const length of [129, 301]) {
  fact('9b', `a tag of ${length} characters is refused before anything is asked`, async () => {
    const emulator = await emulate();
    const problems = await problemsOf(mirror(index, { tags: 'x'.repeat(length) }));
    expect(problems).toEqual([expect.stringMatching(/^input "tags": "x+": a tag has .* at most 128/)]);
    expect(emulator.requests).toEqual([]);
  });
}

fact('9d', 'an image that would have too many tags gets none of them, and the limit is told', async () => {
  const emulator = await emulate({ behaviour: { maximumTags: 2 } });
  const { states, errors } = await mirror(index, { tags: 'one,two,three' });
  expect(states).toEqual(everywhere('failed'));
  for (const error of errors)
    expect(error).toMatch(/\(remove tags of this image: the quota "Tags per image" is 1,000/);
  for (const tag of ['one', 'two', 'three']) expect(await shown(emulator, tag)).toEqual(everywhere(null));
  expect(await shown(emulator, index.root.digest)).toEqual(everywhere(index.root.digest));
});

bothWays(
  '12',
  'opaqueTagCursor',
  'a repository with many tags is published to without listing them',
  async (_, behaviour) => {
    const regions = ['us-east-1'];
    const emulator = await emulate({
      regions,
      behaviour: { ...behaviour, defaultTagPage: 2, maxTagPage: 3 },
    });
    const { pushImage } = await logIn(emulator, 'us-east-1');
    for (const tag of ['a', 'b', 'c', 'd', 'w']) await pushImage(REPOSITORY, rawImage('amd64'), tag);
    const { states } = await mirror(index, { regions: 'us-east-1', tags: 'v1,w' });
    expect(states).toEqual(['published']);
    for (const tag of ['v1', 'w'])
      expect(await shown(emulator, tag, { regions })).toEqual([index.root.digest]);
    expect(
      emulator.requests.filter(
        ({ path, operation }) => /tags\/list/.test(path) || operation === 'ListImages',
      ),
    ).toEqual([]);
  },
);

bothWays(
  '17',
  'sameDigestUnderImmutableTag',
  'a release that is there already writes nothing',
  async (_, behaviour) => {
    const emulator = await start({ imageTagMutability: 'IMMUTABLE' }, { behaviour });
    expect((await mirror(index, { tags: 'v1,v2' })).states).toEqual(everywhere('published'));
    const written = statusesOf(emulator, 'PUT manifests').length;
    expect((await mirror(index, { tags: 'v1,v2' })).states).toEqual(everywhere('unchanged'));
    expect((await mirror(index, { tags: 'v1,v2,v3' })).states).toEqual(everywhere('published'));
    expect(statusesOf(emulator, 'PUT manifests').slice(written)).toEqual(everywhere(201));
  },
);

bothWays(
  '17',
  'sameDigestUnderImmutableTag',
  'a tag whose answer was lost counts as written, though it cannot be written again',
  async (way, behaviour) => {
    const emulator = await start({ imageTagMutability: 'IMMUTABLE' }, { behaviour });
    let lost = 0;
    const services: Around['services'] = ({ transport }) => ({
      transport: {
        ...transport,
        async send(request) {
          const answer = await transport.send(request);
          if (request.method !== 'PUT' || !request.url.pathname.endsWith('/manifests/v1') || lost > 0)
            return answer;
          lost += 1;
          await answer.drain();
          throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
        },
      },
    });
    const { states, errors } = await mirror(index, {}, { services });
    expect([states, errors]).toEqual([everywhere('published'), []]);
    expect(await shown(emulator)).toEqual(everywhere(index.root.digest));
    expect(statusesOf(emulator, 'PUT manifests').filter((status) => status === 400)).toHaveLength(
      way === 'refused' ? 1 : 0,
    );
  },
);

bothWays(
  '17',
  'sameDigestInApi',
  'images are not written by the API, whatever it would call them',
  async (_, behaviour) => {
    const emulator = await start({ imageTagMutability: 'IMMUTABLE' }, { behaviour });
    await mirror(index);
    expect((await mirror(index)).states).toEqual(everywhere('unchanged'));
    expect(statusesOf(emulator, 'PutImage')).toEqual([]);
  },
);

fact('17a', 'images are pushed by digest, and the index alone gets the tags', async () => {
  const attested = indexOf([amd64, arm64, attestationOf(arm64)]);
  const emulator = await emulate();
  await mirror(attested, { tags: 'v1,v2' });
  const { call } = await logIn(emulator, 'us-east-1');
  expect(await (await call('GET', `/v2/${REPOSITORY}/tags/list`)).json()).toMatchObject({
    tags: ['v1', 'v2'],
  });
  const puts = emulator.requests.filter(
    (each) => kindOf(each) === 'PUT manifests' && each.region === 'us-east-1',
  );
  const references = puts.map(({ path }) => path.split('/').at(-1));
  expect(references.slice(0, -2).toSorted()).toEqual([...attested.manifests.keys()].toSorted());
  expect(references.slice(-2).toSorted()).toEqual(['v1', 'v2']);
});

fact('17a', 'a leg is landed without a tag, and the stitch tags the index alone', async () => {
  const emulator = await start({ imageTagMutability: 'IMMUTABLE' });
  await land([amd64, arm64]);
  const { states } = await stitch([amd64, arm64], { tags: 'v1,v2' });
  expect(states).toEqual(everywhere('published'));
  const { call } = await logIn(emulator, 'eu-west-1');
  expect(await (await call('GET', `/v2/${REPOSITORY}/tags/list`)).json()).toMatchObject({
    tags: ['v1', 'v2'],
  });
});

const FILTERS = ['dev-*', 'latest'].map((filter) => ({ filterType: 'WILDCARD', filter }) as const);

for (const [rule, moving, staying] of [
  ['MUTABLE', ['latest', 'v1', 'dev-1'], []],
  ['IMMUTABLE', [], ['latest', 'v1', 'dev-1']],
  ['IMMUTABLE_WITH_EXCLUSION', ['latest', 'dev-1'], ['v1', 'dev']],
  ['MUTABLE_WITH_EXCLUSION', ['v1', 'dev', 'latest-1'], ['latest', 'dev-1']],
] as const) {
  const settings = {
    imageTagMutability: rule,
    imageTagMutabilityExclusionFilters: rule.endsWith('EXCLUSION') ? FILTERS : [],
  };

  if (moving.length > 0) {
    fact('18', `${moving.join(', ')} move under ${rule}`, async () => {
      const emulator = await start(settings);
      await mirror(index, { tags: moving.join() });
      expect((await mirror(other, { tags: moving.join() })).states).toEqual(everywhere('published'));
      for (const tag of moving) expect(await shown(emulator, tag)).toEqual(everywhere(other.root.digest));
    });
  }

  for (const tag of staying) {
    fact('18', `${tag} stays under ${rule}, which is found before a tag is written`, async () => {
      const emulator = await start(settings);
      await mirror(index, { tags: tag });
      const before = emulator.requests.length;
      const { states, errors } = await mirror(other, { tags: `${tag},new` });
      expect(states).toEqual(everywhere('failed'));
      for (const error of errors)
        expect(error).toContain(`the tag "${tag}" is immutable and shows ${index.root.digest}`);
      const requests = emulator.requests.slice(before);
      expect(
        requests.filter(({ method, path }) => method === 'PUT' && /manifests\/(?!sha256)/.test(path)),
      ).toEqual([]);
      expect(await shown(emulator, tag)).toEqual(everywhere(index.root.digest));
      expect(await shown(emulator, 'new')).toEqual(everywhere(null));
    });
  }
}

/** A role that may push, but may not look how the repository is set up. */
const BLIND: EmulatorOptions['fault'] = ({ operation }) =>
  operation === 'DescribeRepositories'
    ? { status: 400, code: 'AccessDeniedException', message: 'not authorized' }
    : undefined;

bothWays(
  'e-tag',
  'immutableWords',
  'a tag that refuses is told of, and all regions are put back',
  async (_, behaviour) => {
    const emulator = await emulate({ behaviour, repositories: [], fault: BLIND });
    emulator.createRepository(REPOSITORY, {}, ['us-east-1', 'sa-east-1']);
    emulator.createRepository(REPOSITORY, { imageTagMutability: 'IMMUTABLE' }, ['eu-west-1']);
    await mirror(index);
    const { states, errors } = await publish(other);
    expect(states).toEqual(['held back', 'failed', 'held back']);
    expect(errors).toEqual([
      expect.stringMatching(/^eu-west-1: team\/app: the tag "v1" is immutable .*publish under a new tag/),
    ]);
    // It was the registry that refused, in its own words: nothing was known of the tag before.
    expect(statusesOf(emulator, 'PUT manifests', 'eu-west-1')).toContain(400);
    expect(await shown(emulator)).toEqual(everywhere(index.root.digest));
  },
);
