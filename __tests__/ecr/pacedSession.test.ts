import { describe, expect, test } from '@jest/globals';
import { type Behaviour, ECR_BEHAVIOUR } from '../../emulator/behaviour.ts';
import { startEmulator } from '../../emulator/emulator.ts';
import { tokenAuthorizer } from '../../src/distribution/auth.ts';
import { RegistryError } from '../../src/distribution/errors.ts';
import { Repository } from '../../src/distribution/repository.ts';
import { createSession, type Session, type SessionRequest } from '../../src/distribution/session.ts';
import { operationsOf, type PacedOperation, QUOTAS } from '../../src/ecr/operations.ts';
import { Pacer, pacedSession } from '../../src/ecr/pacing.ts';
import type { ManifestContent } from '../../src/image/manifest.ts';
import { OCI_MANIFEST } from '../../src/image/mediaTypes.ts';
import { imageOf, logIn } from '../emulator/support.ts';
import { atEnd } from '../support/ends.ts';
import { utf8 } from '../support/images.ts';
import { EAGER, openTransport } from '../support/server.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

test.each<[string, string, readonly PacedOperation[]]>([
  ['POST', 'blobs/uploads/', ['InitiateLayerUpload']],
  ['POST', `blobs/uploads/?mount=${DIGEST}&from=base`, ['InitiateLayerUpload']],
  ['PUT', `blobs/uploads/7e1?state=x&digest=${DIGEST}`, ['UploadLayerPart', 'CompleteLayerUpload']],
  ['PUT', 'manifests/v1', ['PutImage']],
  ['PUT', `manifests/${DIGEST}`, ['PutImage']],
  ['GET', 'manifests/v1', ['BatchGetImage']],
  ['HEAD', 'manifests/v1', ['BatchGetImage']],
  ['HEAD', `blobs/${DIGEST}`, ['BatchCheckLayerAvailability']],
  ['GET', `blobs/${DIGEST}`, ['GetDownloadUrlForLayer']],
  ['DELETE', 'manifests/v1', []],
  ['GET', 'tags/list', []],
])('%s …/%s counts as %j', (method, path, operations) => {
  for (const name of ['app', 'team/manifests', 'blobs/uploads']) {
    expect(operationsOf(method, new URL(`https://registry.example/v2/${name}/${path}`))).toEqual(operations);
  }
});

describe('a paced session', () => {
  /** Notes what it is asked for and told, and gives turns as soon as it is let. */
  class NotingPacer extends Pacer {
    readonly notes: unknown[] = [];
    turn: Promise<void> = Promise.resolve();

    override take(operations: readonly PacedOperation[]): Promise<void> {
      this.notes.push(['take', ...operations]);
      return this.turn;
    }

    override refused(operations: readonly PacedOperation[], retryAfter: number | undefined): void {
      this.notes.push(['refused', ...operations, retryAfter]);
    }
  }

  const url = new URL('https://registry.example/v2/app/manifests/v1');
  const request: SessionRequest = {
    method: 'PUT',
    url,
    scope: { repository: 'app', actions: 'pull,push' },
    expect: [201],
  };

  /** One that fails in this way; notes what reaches the registry. */
  function failing(error: Error) {
    const pacer = new NotingPacer();
    const session: Session = {
      prepare: () => pacer.notes.push('prepare'),
      send: async ({ method }) => {
        pacer.notes.push(['send', method]);
        throw error;
      },
    };
    return { pacer, session: pacedSession(session, pacer) };
  }

  const answered = (status: number, retryAfter?: string) =>
    new RegistryError({ method: 'PUT', url }, { status, body: '', ...(retryAfter && { retryAfter }) });

  test.each([
    [undefined, undefined],
    ['2', 2_000],
  ])('sends in turn, and tells of a refusal (Retry-After: %s)', async (header, milliseconds) => {
    const error = answered(429, header);
    const { pacer, session } = failing(error);
    await expect(session.send(request)).rejects.toBe(error);
    expect(pacer.notes).toEqual([
      ['take', 'PutImage'],
      ['send', 'PUT'],
      ['refused', 'PutImage', milliseconds],
    ]);
  });

  test.each([
    ['an answer of 503', answered(503, '2')],
    ['an answer of 403', answered(403)],
    ['a lost connection', new Error('the connection was lost')],
  ])('tells of no other failure, such as %s', async (_, error) => {
    const { pacer, session } = failing(error);
    await expect(session.send(request)).rejects.toBe(error);
    expect(pacer.notes).toHaveLength(2);
  });

  test('opens connections without a turn', () => {
    const { pacer, session } = failing(answered(429));
    session.prepare();
    expect(pacer.notes).toEqual(['prepare']);
  });

  test('sends nothing that was broken off while it waited for its turn', async () => {
    const { pacer, session } = failing(answered(429));
    let begin = () => {};
    pacer.turn = new Promise((resolve) => {
      begin = resolve;
    });
    const stop = new AbortController();
    const sending = session.send({ ...request, signal: stop.signal });
    const reason = new Error('another region has failed');
    stop.abort(reason);
    await expect(sending).rejects.toBe(reason);
    await expect(session.send({ ...request, signal: stop.signal })).rejects.toBe(reason);
    begin();
    await pacer.turn;
    expect(pacer.notes.flat()).not.toContain('send');
  });

  test('sends what may be broken off when nobody does', async () => {
    const error = answered(503);
    const { session } = failing(error);
    const { signal } = new AbortController();
    await expect(session.send({ ...request, signal })).rejects.toBe(error);
  });
});

describe('sixty manifests at once, to a registry with ECR’s quotas,', () => {
  /** Writes them; gives what the registry refused. */
  async function write(quotaWindow: Behaviour['quotaWindow'], pace: (session: Session) => Session) {
    const emulator = await startEmulator({
      regions: ['us-east-1'],
      repositories: ['app'],
      behaviour: { quotaWindow },
    });
    atEnd(() => emulator.close());
    expect(ECR_BEHAVIOUR.quotas).toEqual(QUOTAS);
    const image = imageOf('amd64');
    const registry = await logIn(emulator, 'us-east-1');
    for (const blob of [image.config, image.layer]) await registry.pushBlob('app', blob);
    const origin = emulator.url('us-east-1');
    const transport = openTransport(16);
    const authorizer = tokenAuthorizer(async () => `Basic ${registry.token}`);
    const repository = new Repository({
      origin,
      name: 'app',
      session: pace(createSession(origin, transport, authorizer)),
      retry: { ...EAGER, retries: 0, throttled: 0 },
    });
    const content: ManifestContent = {
      bytes: utf8(image.text),
      mediaType: OCI_MANIFEST,
      digest: image.digest,
    };
    const results = await Promise.allSettled(
      Array.from({ length: 60 }, (_, position) => repository.writeManifest(`v${position}`, content)),
    );
    return results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  }

  test('are never refused when they are paced, however it counts, and take little longer than they must', async () => {
    const began = performance.now();
    const refusals = await Promise.all(
      (['bucket', 'second'] as const).map((window) =>
        write(window, (session) => pacedSession(session, new Pacer())),
      ),
    );
    expect(refusals).toEqual([[], []]);
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  test('are refused when they are not', async () => {
    const refusals = await write('bucket', (session) => session);
    expect(refusals.length).toBeGreaterThan(20);
    for (const refusal of refusals)
      expect(refusal).toMatchObject({ status: 429, codes: ['TOOMANYREQUESTS'] });
  });
});
