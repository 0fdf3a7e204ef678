import { describe, expect, test } from '@jest/globals';
import { RegistryError } from '../../src/distribution/errors.ts';
import { nextPage } from '../../src/distribution/referrers.ts';
import type { Descriptor } from '../../src/image/descriptor.ts';
import { describe as descriptorOf, ManifestError } from '../../src/image/manifest.ts';
import { DOCKER_LIST, OCI_INDEX } from '../../src/image/mediaTypes.ts';
import { imageOf } from '../support/images.ts';
import { type Answer, refuse, repositoryAt, serve } from '../support/server.ts';

const { root } = imageOf('linux/amd64');
const LIST = `/v2/app/web/referrers/${root.digest}`;
const KEPT = `/v2/app/web/manifests/sha256-${root.digest.slice('sha256:'.length)}`;

/** Something that may refer to the image. */
function listed(name: string | number): Descriptor {
  return descriptorOf(imageOf('linux/amd64', { layers: [`refers ${name}`] }).root);
}

function pageOf(manifests: readonly unknown[]): string {
  return JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
}

async function referrersFrom(answer: Answer) {
  const server = await serve(answer);
  return { ...server, listed: repositoryAt(server.url).referrers(root.digest) };
}

const INDEX = { 'content-type': OCI_INDEX };

describe('what refers to a manifest', () => {
  test('is read page by page, without what the list says of it', async () => {
    const [one, two, three] = [listed(1), listed(2), listed(3)];
    const { listed: read, requests } = await referrersFrom(({ path }, response) => {
      if (path === LIST) {
        const link = `<${LIST}?n=2&last=x>; rel="next"`;
        return response
          .writeHead(200, { ...INDEX, link })
          .end(pageOf([{ ...one, annotations: { a: 'b' } }, two]));
      }
      return response.writeHead(200, INDEX).end(pageOf([three]));
    });
    expect(await read).toEqual([one, two, three]);
    expect(requests.map(({ path }) => path)).toEqual([LIST, `${LIST}?n=2&last=x`]);
  });

  test('is nothing where nothing is listed', async () => {
    const { listed: read, requests } = await referrersFrom((_, response) =>
      response.writeHead(200, INDEX).end(pageOf([])),
    );
    expect(await read).toEqual([]);
    expect(requests).toHaveLength(1);
  });

  test.each([
    [404, 'NOT_FOUND'],
    [405, 'UNSUPPORTED'],
  ])('is read under a tag where the registry answers %i', async (status, code) => {
    const { listed: read } = await referrersFrom(({ path }, response) =>
      path === KEPT
        ? response.writeHead(200, INDEX).end(pageOf([listed(1)]))
        : refuse(response, status, code),
    );
    expect(await read).toEqual([listed(1)]);
  });

  test('is nothing where there is neither', async () => {
    const { listed: read } = await referrersFrom((_, response) => refuse(response, 404, 'MANIFEST_UNKNOWN'));
    expect(await read).toEqual([]);
  });

  test('is a refusal where it may not be read', async () => {
    const { listed: read } = await referrersFrom((_, response) => refuse(response, 403, 'DENIED'));
    await expect(read).rejects.toThrow(RegistryError);
  });

  test('is asked for again when the registry is busy', async () => {
    const { listed: read } = await referrersFrom((_, response, count) =>
      count === 0
        ? refuse(response, 503, 'UNAVAILABLE')
        : response.writeHead(200, INDEX).end(pageOf([listed(1)])),
    );
    expect(await read).toEqual([listed(1)]);
  });
});

describe('a list that is none', () => {
  test.each<[what: string, words: RegExp, headers: Record<string, string>, body: string]>([
    ['a page of the web', /not JSON/, { 'content-type': 'text/html' }, '<html></html>'],
    ['an image', /has to be an index/, {}, Buffer.from(root.bytes).toString()],
    ['a list of more than there may be', /at most 1000/, INDEX, pageOf(Array(1_001).fill(listed(1)))],
    ['a list of things without a digest', /digest/, INDEX, pageOf([{ mediaType: OCI_INDEX, size: 1 }])],
    ['of another type than it says', /calls itself/, { 'content-type': DOCKER_LIST }, pageOf([])],
  ])('is refused when it is %s', async (_, words, headers, body) => {
    const { listed: read } = await referrersFrom((__, response) =>
      response.writeHead(200, headers).end(body),
    );
    await expect(read).rejects.toThrow(ManifestError);
    await expect(read).rejects.toThrow(words);
  });

  test.each([
    ['pages that are empty', () => [], /more than 50 pages/, 50],
    ['pages that are full', () => Array.from({ length: 100 }, (_, each) => listed(each)), /more than 500/, 6],
  ])('is given up when it has no end of %s', async (_, page, words, most) => {
    const { listed: read, requests } = await referrersFrom((__, response, count) =>
      response.writeHead(200, { ...INDEX, link: `<${LIST}?from=${count}>; rel="next"` }).end(pageOf(page())),
    );
    await expect(read).rejects.toThrow(words);
    expect(requests.length).toBeLessThanOrEqual(most);
  });

  test('is refused when it breaks off', async () => {
    const { listed: read } = await referrersFrom((_, response, count) =>
      count === 0
        ? response.writeHead(200, { ...INDEX, link: `<${LIST}?from=1>; rel="next"` }).end(pageOf([]))
        : refuse(response, 404, 'NOT_FOUND'),
    );
    await expect(read).rejects.toThrow(/breaks off/);
  });
});

describe('the next page', () => {
  const page = new URL(`https://registry.example${LIST}`);

  test.each([
    [undefined, undefined],
    ['', undefined],
    [`<${LIST}?last=a>; rel="next"`, `https://registry.example${LIST}?last=a`],
    [`<${LIST}?last=a>;rel=next`, `https://registry.example${LIST}?last=a`],
    ['<?last=a>; title="x"; rel="next"', `https://registry.example${LIST}?last=a`],
    [`<${LIST}>; rel="prev"`, undefined],
    ['next', undefined],
  ])('after %p is %p', (link, next) => {
    expect(nextPage(link, page)?.href).toBe(next);
  });

  test.each([
    '<https://other.example/v2/>',
    '<http://registry.example/v2/>',
    '<//other.example/x>',
    '<file:///x>',
  ])('is not asked for at %s', (address) => {
    expect(() => nextPage(`${address}; rel="next"`, page)).toThrow(/goes on in another registry/);
  });
});
