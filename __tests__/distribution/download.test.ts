import type { ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { tokenAuthorizer } from '../../src/distribution/auth.ts';
import { ContentError } from '../../src/distribution/errors.ts';
import { blobOf, OCI_LAYER } from '../support/images.ts';
import { refuse, repositoryAt, serve } from '../support/server.ts';

const content = Buffer.from('a layer of some bytes');
const descriptor = blobOf(content, OCI_LAYER);

async function download(answer: (response: ServerResponse, count: number) => unknown) {
  const { url, requests } = await serve((_, response, count) => answer(response, count));
  const read = await repositoryAt(url).readBlob(descriptor);
  return { content: await text(read), requests };
}

describe('downloading a blob', () => {
  test('gives its bytes', async () => {
    const { content: read, requests } = await download((response) => response.end(content));
    expect(read).toBe(content.toString());
    expect(requests.map(({ method, path }) => [method, path])).toEqual([
      ['GET', `/v2/app/web/blobs/${descriptor.digest}`],
    ]);
  });

  test('fails at its end when a byte is wrong', async () => {
    const wrong = Buffer.from(content).fill('X', 3, 4);
    const failure = download((response) => response.end(wrong));
    await expect(failure).rejects.toThrow(ContentError);
    await expect(failure).rejects.toThrow(/gave content of digest sha256:\w+ for sha256:/);
  });

  test('fails when there are fewer bytes', async () => {
    await expect(download((response) => response.end(content.subarray(1)))).rejects.toThrow(
      /gave 20 bytes for sha256:.*which has 21/,
    );
  });

  test('fails when there are more bytes, without reading them all', async () => {
    const endless = (response: ServerResponse) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) {}
      };
      response.on('drain', more);
      more();
    };
    await expect(download(endless)).rejects.toThrow(/gave more than 21 bytes/);
  });

  test('fails when the connection ends before the announced length', async () => {
    const cut = (response: ServerResponse) => {
      response.writeHead(200, { 'content-length': content.length }).write(content.subarray(0, 5));
      setTimeout(() => response.destroy(), 10);
    };
    await expect(download(cut)).rejects.toThrow();
  });

  test('asks for another address when the one that it is led to has run out, once', async () => {
    for (const good of [1, Number.POSITIVE_INFINITY]) {
      const elsewhere = await serve((_, response, count) =>
        count < good ? refuse(response, 403, 'DENIED') : response.end(content),
      );
      const { url, requests } = await serve((_, response) =>
        response.writeHead(307, { location: `${elsewhere.url}/signed` }).end(),
      );
      const read = repositoryAt(url).readBlob(descriptor).then(text);
      if (good === 1) expect(await read).toBe(content.toString());
      else await expect(read).rejects.toMatchObject({ status: 403 });
      expect(requests).toHaveLength(2);
      expect(elsewhere.requests).toHaveLength(2);
    }
  });

  test('tries again while the registry is busy or cuts the connection', async () => {
    const { content: read, requests } = await download((response, count) => {
      if (count === 0) return refuse(response, 503, 'UNAVAILABLE');
      if (count === 1) return response.destroy();
      if (count === 2) return refuse(response, 429, 'TOOMANYREQUESTS', { 'retry-after': '0' });
      return response.end(content);
    });
    expect(read).toBe(content.toString());
    expect(requests).toHaveLength(4);
  });
});

describe('a redirect of a download', () => {
  test('is followed to another origin without the credentials', async () => {
    const storage = await serve((_, response) => response.end(content));
    const registry = await serve((_, response) =>
      response.writeHead(307, { location: `${storage.url}/bucket?X-Amz-Signature=1` }).end(),
    );
    const repository = repositoryAt(registry.url, {
      authorizer: tokenAuthorizer(async () => 'Basic secret'),
    });
    expect(await text(await repository.readBlob(descriptor))).toBe(content.toString());
    expect(registry.requests[0]?.headers.authorization).toBe('Basic secret');
    expect(storage.requests[0]?.path).toBe('/bucket?X-Amz-Signature=1');
    expect(storage.requests[0]?.headers).not.toHaveProperty('authorization');
  });

  test('within the registry keeps the credentials', async () => {
    const registry = await serve((request, response) =>
      request.path === '/moved'
        ? response.end(content)
        : response.writeHead(302, { location: '/moved' }).end(),
    );
    const repository = repositoryAt(registry.url, {
      authorizer: tokenAuthorizer(async () => 'Basic secret'),
    });
    expect(await text(await repository.readBlob(descriptor))).toBe(content.toString());
    expect(registry.requests[1]?.headers.authorization).toBe('Basic secret');
  });

  test('that goes in circles is given up', async () => {
    const { url, requests } = await serve((_, response) =>
      response.writeHead(307, { location: '/again' }).end(),
    );
    await expect(repositoryAt(url).readBlob(descriptor)).rejects.toThrow(/redirects more than 5 times/);
    expect(requests).toHaveLength(6);
  });

  test.each(['ftp://example.com/x', 'file:///etc/passwd', 'http://['])(
    'to %s is not followed',
    async (location) => {
      await expect(download((response) => response.writeHead(307, { location }).end())).rejects.toMatchObject(
        { status: 307 },
      );
    },
  );

  test('an error that the other origin answers is told without its signature', async () => {
    const storage = await serve((_, response) => refuse(response, 403, 'SignatureDoesNotMatch'));
    const registry = await serve((_, response) =>
      response.writeHead(307, { location: `${storage.url}/bucket?X-Amz-Signature=s3cr3t` }).end(),
    );
    const failure = repositoryAt(registry.url).readBlob(descriptor);
    await expect(failure).rejects.toThrow(`GET ${storage.url}/bucket?… answered 403`);
    await expect(failure).rejects.not.toThrow(/s3cr3t/);
  });
});

describe('asking for a blob', () => {
  test('gives its size in bytes', async () => {
    const { url, requests } = await serve((_, response) =>
      response.writeHead(200, { 'content-length': '21' }).end(),
    );
    expect(await repositoryAt(url).statBlob(descriptor.digest)).toBe(21);
    expect(requests[0]?.method).toBe('HEAD');
  });

  test('gives nothing when it is not there', async () => {
    const { url } = await serve((_, response) => response.writeHead(404).end());
    expect(await repositoryAt(url).statBlob(descriptor.digest)).toBeUndefined();
  });

  test('follows no doubt: a registry that fails is not one that lacks the blob', async () => {
    const { url } = await serve((_, response) => response.writeHead(500).end());
    await expect(repositoryAt(url).statBlob(descriptor.digest)).rejects.toMatchObject({ status: 500 });
  });
});
