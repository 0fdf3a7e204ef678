import { Readable } from 'node:stream';
import { describe, expect, jest, test } from '@jest/globals';
import { UploadError } from '../../src/distribution/errors.ts';
import { atEnd } from '../support/ends.ts';
import { blobOf, OCI_LAYER } from '../support/images.ts';
import { until } from '../support/memory.ts';
import { refuse, repositoryAt, serve } from '../support/server.ts';

const content = Buffer.from('a layer');
const descriptor = blobOf(content, OCI_LAYER);
const open = async () => Readable.from([content], { objectMode: false });

const layers = Array.from({ length: 12 }, (_, count) => Buffer.from(`layer ${count}`));
const others = layers.map((layer) => blobOf(layer, OCI_LAYER));
const openLayer = (count: number) => async () =>
  Readable.from(layers.slice(count, count + 1), { objectMode: false });

/**
 * A registry that numbers its uploads, and knows no more of those that it was told to forget; gives what it was asked, with
 * the numbers.
 */
async function uploading(forgotten: readonly number[] = []) {
  let begun = 0;
  const server = await serve(({ method, path }, response) => {
    if (method === 'POST') {
      begun += 1;
      response.writeHead(202, { location: `/v2/app/web/blobs/uploads/${begun}` }).end();
    } else if (forgotten.includes(Number(/uploads\/(\d+)/.exec(path)?.[1]))) {
      refuse(response, 404, 'BLOB_UPLOAD_UNKNOWN');
    } else response.writeHead(201).end();
  });
  const told: string[] = [];
  const repository = repositoryAt(server.url, { onRetry: ({ message }) => told.push(message) });
  const asked = () =>
    server.requests.map(({ method, path }) => `${method} ${/uploads\/(\d*)/.exec(path)?.[1]}`);
  return { ...server, repository, told, asked };
}

describe('an upload that the registry has forgotten', () => {
  test('is begun anew, with the body opened anew', async () => {
    const { repository, asked, told, requests, url } = await uploading([1]);
    let opened = 0;
    const how = await repository.writeBlob(descriptor, () => {
      opened += 1;
      return open();
    });
    expect(how).toBe('sent');
    expect(asked()).toEqual(['POST ', 'PUT 1', 'POST ', 'PUT 2']);
    expect(requests.at(-1)?.body.toString()).toBe('a layer');
    expect(opened).toBe(2);
    expect(told).toEqual([
      `PUT ${url}/v2/app/web/blobs/uploads/1?… answered 404: BLOB_UPLOAD_UNKNOWN: said BLOB_UPLOAD_UNKNOWN`,
    ]);
  });

  test('is given up with what the registry said when that goes on and on', async () => {
    const { repository, asked } = await uploading([1, 2, 3, 4, 5]);
    const failed = await repository.writeBlob(descriptor, open).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(UploadError);
    expect(failed).toMatchObject({
      message: expect.stringContaining('answered 404: BLOB_UPLOAD_UNKNOWN'),
      cause: { status: 404, method: 'PUT' },
    });
    expect(asked()).toHaveLength(8);
  });

  test('is not one of which the registry says that its content is wrong', async () => {
    const { url, requests } = await serve(({ method }, response) =>
      method === 'POST'
        ? response.writeHead(202, { location: '/v2/app/web/blobs/uploads/1' }).end()
        : refuse(response, 404, 'NAME_UNKNOWN'),
    );
    const written = repositoryAt(url).writeBlob(descriptor, open);
    await expect(written).rejects.toMatchObject({ status: 404, codes: ['NAME_UNKNOWN'] });
    expect(requests).toHaveLength(2);
  });
});

describe('an upload that is begun ahead', () => {
  test('is that of the next blob', async () => {
    const { repository, asked } = await uploading();
    repository.expectUpload(descriptor);
    await repository.writeBlob(descriptor, open);
    await repository.writeBlob(descriptor, open);
    expect(asked()).toEqual(['POST ', 'PUT 1', 'POST ', 'PUT 2']);
  });

  test('is one for each blob that is expected, however often it is', async () => {
    const { repository, requests, asked } = await uploading();
    for (let times = 0; times < 3; times += 1) {
      for (const other of others.slice(0, 2)) repository.expectUpload(other);
    }
    await until(() => requests.length === 2);
    await Promise.all(
      others.slice(0, 3).map((other, count) => repository.writeBlob(other, openLayer(count))),
    );
    expect(asked().filter((each) => each === 'POST ')).toHaveLength(3);
    expect(
      asked()
        .filter((each) => each.startsWith('PUT'))
        .toSorted(),
    ).toEqual(['PUT 1', 'PUT 2', 'PUT 3']);
  });

  test('is one of ten at the most', async () => {
    const { repository, asked } = await uploading();
    for (const other of others) repository.expectUpload(other);
    await repository.writeBlob(descriptor, open);
    expect(asked().filter((each) => each === 'POST ')).toHaveLength(11);
  });

  test('goes on as another one when the registry has forgotten it', async () => {
    const { repository, asked } = await uploading([1]);
    repository.expectUpload(descriptor);
    expect(await repository.writeBlob(descriptor, open)).toBe('sent');
    expect(asked()).toEqual(['POST ', 'PUT 1', 'POST ', 'PUT 2']);
  });

  test('may be forgotten with all others', async () => {
    const { repository, requests } = await uploading([1, 2, 3]);
    for (const expected of [descriptor, ...others.slice(0, 2)]) repository.expectUpload(expected);
    await until(() => requests.length === 3);
    expect(await repository.writeBlob(descriptor, open)).toBe('sent');
  });

  test('is begun again by the blob when it could not be begun', async () => {
    const { url, requests } = await serve(({ method }, response, count) => {
      if (count === 0) refuse(response, 500, 'BROKEN');
      else
        response.writeHead(method === 'POST' ? 202 : 201, { location: '/v2/app/web/blobs/uploads/2' }).end();
    });
    const repository = repositoryAt(url);
    repository.expectUpload(descriptor);
    await until(() => requests.length === 1);
    expect(await repository.writeBlob(descriptor, open)).toBe('sent');
    expect(requests.map(({ method }) => method)).toEqual(['POST', 'POST', 'PUT']);
  });

  test('is left alone when it has waited for its blob for too long', async () => {
    const { repository, asked } = await uploading();
    await repository.beginAhead();
    const began = performance.now();
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => began + 31_000);
    atEnd(() => clock.mockRestore());
    await repository.writeBlob(descriptor, open);
    expect(asked()).toEqual(['POST ', 'POST ', 'PUT 2']);
  });

  test('may be waited for, and is then that of the next blob', async () => {
    const { repository, asked } = await uploading();
    await repository.beginAhead();
    expect(asked()).toEqual(['POST ']);
    await repository.writeBlob(descriptor, open);
    expect(asked()).toEqual(['POST ', 'PUT 1']);
  });

  test('is tried again when the registry is busy, if it is waited for', async () => {
    const { url, requests } = await serve((_, response, count) =>
      count < 3
        ? refuse(response, 503, 'BUSY')
        : response.writeHead(202, { location: '/v2/app/web/blobs/uploads/1' }).end(),
    );
    await repositoryAt(url).beginAhead();
    expect(requests).toHaveLength(4);
  });

  test('fails with what the registry says, if it is waited for', async () => {
    const { url } = await serve((_, response) => refuse(response, 404, 'NAME_UNKNOWN'));
    await expect(repositoryAt(url).beginAhead()).rejects.toMatchObject({
      status: 404,
      codes: ['NAME_UNKNOWN'],
    });
  });
});
