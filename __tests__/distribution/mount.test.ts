import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import type { Behaviour } from '../../emulator/behaviour.ts';
import { startEmulator } from '../../emulator/emulator.ts';
import { tokenAuthorizer } from '../../src/distribution/auth.ts';
import { imageOf, logIn } from '../emulator/support.ts';
import { atEnd } from '../support/ends.ts';
import { blobOf, OCI_LAYER } from '../support/images.ts';
import { type Answer, refuse, repositoryAt, serve } from '../support/server.ts';

const content = Buffer.from('a layer');
const descriptor = blobOf(content, OCI_LAYER);
const open = async () => Readable.from([content], { objectMode: false });
const LOCATION = '/v2/app/web/blobs/uploads/1?state=s%2Fx';
const END = `${LOCATION}&digest=${encodeURIComponent(descriptor.digest)}`;
const MOUNT = `/v2/app/web/blobs/uploads/?mount=${encodeURIComponent(descriptor.digest)}&from=team%2Fbase`;
const BEGIN = '/v2/app/web/blobs/uploads/';

/** Writes the blob to a registry that answers like this, mounting it if it can; gives what was asked of the registry. */
async function write(answer: Answer) {
  const { url, requests } = await serve(answer);
  const told: string[] = [];
  const repository = repositoryAt(url, { onRetry: ({ message }) => told.push(message) });
  const outcome = await repository.writeBlob(descriptor, open, 'team/base').catch((error: unknown) => error);
  const asked = requests.map(({ method, path }) => `${method} ${path}`);
  return { outcome, asked, told, bodies: requests.map(({ body }) => body.toString()) };
}

describe('a blob that another repository holds', () => {
  test('is mounted, and nothing of it is sent', async () => {
    const { outcome, asked } = await write((_, response) =>
      response.writeHead(201, { location: `/v2/app/web/blobs/${descriptor.digest}` }).end(),
    );
    expect(outcome).toBe('mounted');
    expect(asked).toEqual([`POST ${MOUNT}`]);
  });

  test('is sent to where the registry says when it begins an upload instead', async () => {
    const { outcome, asked, bodies } = await write(({ method }, response) =>
      method === 'POST'
        ? response.writeHead(202, { location: LOCATION }).end()
        : response.writeHead(201).end(),
    );
    expect(outcome).toBe('sent');
    expect(asked).toEqual([`POST ${MOUNT}`, `PUT ${END}`]);
    expect(bodies).toEqual(['', 'a layer']);
  });

  test.each([
    [400, 'UNSUPPORTED'],
    [401, 'UNAUTHORIZED'],
    [403, 'DENIED'],
    [404, 'NAME_UNKNOWN'],
    [405, 'UNSUPPORTED'],
  ])('is sent when the registry refuses to mount it: %d %s', async (status, code) => {
    const { outcome, asked, told } = await write(({ method, path }, response) => {
      if (path === MOUNT) refuse(response, status, code);
      else response.writeHead(method === 'POST' ? 202 : 201, { location: LOCATION }).end();
    });
    expect(outcome).toBe('sent');
    expect(asked).toEqual([`POST ${MOUNT}`, `POST ${BEGIN}`, `PUT ${END}`]);
    expect(told).toEqual([]);
  });

  test('is not sent either when nothing may be pushed', async () => {
    const { outcome, asked } = await write((_, response) => refuse(response, 403, 'DENIED'));
    expect(outcome).toMatchObject({ status: 403, codes: ['DENIED'] });
    expect(asked).toEqual([`POST ${MOUNT}`, `POST ${BEGIN}`]);
  });

  test.each([429, 503])('is mounted by another try when the registry answers %d', async (status) => {
    const { outcome, asked, told } = await write((_, response, count) =>
      count < 2 ? refuse(response, status, 'BUSY') : response.writeHead(201).end(),
    );
    expect(outcome).toBe('mounted');
    expect(asked).toEqual(Array(3).fill(`POST ${MOUNT}`));
    expect(told).toHaveLength(2);
  });

  test('may be mounted by another try when its upload was lost', async () => {
    const { outcome, asked } = await write(({ method }, response, count) => {
      if (method === 'PUT') refuse(response, 404, 'BLOB_UPLOAD_UNKNOWN');
      else response.writeHead(count === 0 ? 202 : 201, { location: LOCATION }).end();
    });
    expect(outcome).toBe('mounted');
    expect(asked).toEqual([`POST ${MOUNT}`, `PUT ${END}`, `POST ${MOUNT}`]);
  });

  test('leaves an upload that was begun ahead to another blob', async () => {
    const { url, requests } = await serve(({ method, path }, response) => {
      const status = method === 'PUT' || path === MOUNT ? 201 : 202;
      response.writeHead(status, { location: LOCATION }).end();
    });
    const repository = repositoryAt(url);
    await repository.beginAhead();
    expect(await repository.writeBlob(descriptor, open, 'team/base')).toBe('mounted');
    expect(await repository.writeBlob(descriptor, open)).toBe('sent');
    expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `POST ${BEGIN}`,
      `POST ${MOUNT}`,
      `PUT ${END}`,
    ]);
  });
});

describe('in ECR, a blob that another repository holds', () => {
  const image = imageOf('amd64');
  const ARN = 'arn:aws:ecr:us-east-1:123456789012:repository';
  const allow = (actions: readonly string[], resource: string) =>
    ({ effect: 'Allow', actions, resources: [resource] }) as const;

  /** Writes a layer that team/base holds to team/app, as somebody who may do this and push to team/app. */
  async function writeTo(behaviour: Partial<Behaviour>, permissions: readonly ReturnType<typeof allow>[]) {
    const emulator = await startEmulator({
      regions: ['us-east-1'],
      repositories: ['team/app', 'team/base'],
      principals: {
        AKIDROOT: { account: '123456789012' },
        AKIDCI: {
          account: '123456789012',
          name: 'ci',
          policy: [
            allow(['ecr:GetAuthorizationToken'], '*'),
            allow(['ecr:*'], `${ARN}/team/app`),
            ...permissions,
          ],
        },
      },
      behaviour,
    });
    atEnd(() => emulator.close());
    await (await logIn(emulator, 'us-east-1', 'AKIDROOT')).pushImage('team/base', image);
    const { token } = await logIn(emulator, 'us-east-1', 'AKIDCI');
    const repository = repositoryAt(emulator.url('us-east-1'), {
      name: 'team/app',
      authorizer: tokenAuthorizer(async () => `Basic ${token}`),
    });
    const layer = blobOf(image.layer, OCI_LAYER);
    const how = await repository.writeBlob(
      layer,
      async () => Readable.from([image.layer], { objectMode: false }),
      'team/base',
    );
    expect(await repository.statBlob(layer.digest)).toBe(layer.size);
    return how;
  }

  const READ = allow(['ecr:GetDownloadUrlForLayer'], `${ARN}/team/base`);

  test.each([
    ['mounted', 'where the account has switched that on', { blobMounting: true }, [READ]],
    ['sent', 'where the account has not', { blobMounting: false }, [READ]],
    ['sent', 'where that is refused for want of a permission', { blobMounting: true }, []],
    [
      'sent',
      'where a permission is wanting and an upload is begun',
      { blobMounting: true, unreadableMount: 'upload' as const },
      [],
    ],
  ])('is %s %s', async (how, _, behaviour, permissions) => {
    expect(await writeTo(behaviour, permissions)).toBe(how);
  });
});
