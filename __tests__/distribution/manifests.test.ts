import { describe, expect, test } from '@jest/globals';
import { ContentError } from '../../src/distribution/errors.ts';
import { DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../src/image/mediaTypes.ts';
import { imageOf, indexOf, manifestOf } from '../support/images.ts';
import { refuse, repositoryAt, serve } from '../support/server.ts';

const { root } = indexOf([imageOf('linux/amd64'), imageOf('linux/arm64')]);
const headers = { 'content-type': OCI_INDEX };

describe('reading a manifest', () => {
  test('says every type that is accepted, so that the registry converts nothing', async () => {
    const { url, requests } = await serve((_, response) => response.writeHead(200, headers).end(root.bytes));
    const repository = repositoryAt(url);
    await repository.readManifest('latest');
    await repository.hasManifest(root.digest);
    for (const { headers: sent } of requests) {
      const accepted = sent.accept?.split(', ');
      expect(accepted?.toSorted()).toEqual(
        [DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST].toSorted(),
      );
    }
    expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /v2/app/web/manifests/latest',
      `HEAD /v2/app/web/manifests/${root.digest}`,
    ]);
  });

  test('takes the digest from the bytes, whatever a header says', async () => {
    const lie = { ...headers, 'docker-content-digest': `sha256:${'0'.repeat(64)}` };
    const { url } = await serve((_, response) => response.writeHead(200, lie).end(root.bytes));
    const read = await repositoryAt(url).readManifest('latest');
    expect(read?.digest).toBe(root.digest);
    expect(Buffer.from(read?.bytes ?? [])).toEqual(Buffer.from(root.bytes));
  });

  test('by digest refuses other bytes, after trying again', async () => {
    const other = imageOf('linux/arm64').root;
    const { url, requests } = await serve((_, response) => response.end(other.bytes));
    await expect(repositoryAt(url).readManifest(root.digest)).rejects.toThrow(ContentError);
    expect(requests).toHaveLength(4);
  });

  test('by digest gets over a body that was wrong once', async () => {
    const { url } = await serve((_, response, count) =>
      response.writeHead(200, headers).end(count === 0 ? imageOf('linux/s390x').root.bytes : root.bytes),
    );
    // The first body is an image that was given as an index: its type is wrong too.
    expect((await repositoryAt(url).readManifest(root.digest))?.digest).toBe(root.digest);
  });

  test('by tag gets over a body that was cut once', async () => {
    const cut = root.bytes.subarray(0, root.bytes.byteLength - 3);
    const { url } = await serve((_, response, count) =>
      response.writeHead(200, headers).end(count === 0 ? cut : root.bytes),
    );
    expect((await repositoryAt(url).readManifest('v1'))?.digest).toBe(root.digest);
  });

  test('gives nothing when there is none', async () => {
    const { url } = await serve((_, response) => refuse(response, 404, 'MANIFEST_UNKNOWN'));
    expect(await repositoryAt(url).readManifest('v1')).toBeUndefined();
  });

  test('fails when it is the repository that is missing', async () => {
    const { url } = await serve((_, response) => refuse(response, 404, 'NAME_UNKNOWN'));
    await expect(repositoryAt(url).readManifest('v1')).rejects.toMatchObject({ codes: ['NAME_UNKNOWN'] });
  });

  test('refuses a body without end', async () => {
    const { url } = await serve((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, ' '))) {}
      };
      response.on('drain', more);
      more();
    });
    await expect(repositoryAt(url).readManifest('v1')).rejects.toThrow(/a body of more than 4194304 bytes/);
  });

  test('follows a redirect', async () => {
    const { url } = await serve(({ path }, response) =>
      path === '/there'
        ? response.writeHead(200, headers).end(root.bytes)
        : response.writeHead(307, { location: '/there' }).end(),
    );
    expect((await repositoryAt(url).readManifest('v1'))?.digest).toBe(root.digest);
  });
});

describe('writing a manifest', () => {
  test('sends its bytes as they are, with its type and length', async () => {
    const text = `{ "mediaType":"${OCI_INDEX}",\n\t"manifests": [], "x-unknown":"Grüße" }\n`;
    const manifest = manifestOf(text, OCI_INDEX);
    const { url, requests } = await serve((_, response) => response.writeHead(201).end());
    await repositoryAt(url).writeManifest('v1', manifest);
    expect(requests[0]).toMatchObject({
      method: 'PUT',
      path: '/v2/app/web/manifests/v1',
      headers: { 'content-type': OCI_INDEX, 'content-length': String(Buffer.byteLength(text)) },
    });
    expect(requests[0]?.body.toString()).toBe(text);
  });

  test('tries again when the registry is busy, and not when it refuses', async () => {
    const { url, requests } = await serve((_, response, count) => {
      if (count === 0) refuse(response, 429, 'TOOMANYREQUESTS');
      else refuse(response, 400, 'TAG_INVALID');
    });
    await expect(repositoryAt(url).writeManifest('v1', root)).rejects.toMatchObject({
      codes: ['TAG_INVALID'],
    });
    expect(requests).toHaveLength(2);
    expect(requests[1]?.body).toEqual(Buffer.from(root.bytes));
  });
});

test('removing a tag that is gone is no failure', async () => {
  const { url, requests } = await serve((_, response) => refuse(response, 404, 'MANIFEST_UNKNOWN'));
  await repositoryAt(url).deleteTag('v1');
  expect(requests[0]).toMatchObject({ method: 'DELETE', path: '/v2/app/web/manifests/v1' });
});
