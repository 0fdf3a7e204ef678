import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { challengedAuthorizer, tokenAuthorizer } from '../../../src/distribution/auth.ts';
import {
  ContentError,
  RegistryError,
  redactUrl,
  safeJson,
  wordsOf,
} from '../../../src/distribution/errors.ts';
import { leadsTo, webAddress } from '../../../src/distribution/location.ts';
import { nextPage, parseReferrers } from '../../../src/distribution/referrers.ts';
import { parseContentRange, parseRange } from '../../../src/distribution/server/ranges.ts';
import { Refusal } from '../../../src/distribution/server/refusal.ts';
import { parseRoute } from '../../../src/distribution/server/routes.ts';
import { createSession } from '../../../src/distribution/session.ts';
import type { HttpRequest, HttpResponse, Transport } from '../../../src/distribution/transport.ts';
import { verifyContent } from '../../../src/distribution/verified.ts';
import { isDigest } from '../../../src/image/digest.ts';
import { ManifestError } from '../../../src/image/manifest.ts';
import { OCI_INDEX } from '../../../src/image/mediaTypes.ts';
import { isRepositoryName, isTag } from '../../../src/image/reference.ts';
import { blobOf, OCI_LAYER } from '../../support/images.ts';
import { bytesOf, jsonTexts, type Parser, parser, promise, texts } from './parser.ts';

const ORIGIN = 'https://registry.example';
const SCOPE = { repository: 'app/web', actions: 'pull' } as const;
const SECRET = 'c2VjcmV0';
const HEX = 'a'.repeat(64);
const layer = blobOf(Buffer.from('content'), OCI_LAYER);
const CHALLENGE = 'Bearer realm="https://auth.example/token",service="a.example",scope="repository:app:pull"';
const ADDRESSES = [
  '/v2/a',
  '//other.example/x?a=b',
  'http://u:p@127.0.0.1:80/',
  'https://registry.example:443/y',
];

/** A transport that gives every request the same answer, and keeps the requests. */
function answering(status: number, headers: Readonly<Record<string, string>>, body = '') {
  const requests: HttpRequest[] = [];
  const response: HttpResponse = {
    status,
    header: (name) => headers[name],
    stream: () => Readable.from([]),
    bytes: async () => Buffer.from(body),
    drain: async () => undefined,
  };
  const transport: Transport = {
    send: async (request) => {
      requests.push(request);
      return response;
    },
    prepare: () => undefined,
    close: async () => undefined,
  };
  return { transport, requests };
}

function assertWeb({ protocol, username, password }: URL): void {
  promise(/^https?:$/.test(protocol) && username === '' && password === '', 'it is an address of the web');
}

export const DISTRIBUTION_PARSERS: readonly Parser[] = [
  parser("a registry's refusal", {
    input: fc.tuple(
      jsonTexts({ errors: [{ code: 'DENIED', message: 'no', detail: {} }, { code: 'X' }] }),
      texts('120', 'Fri, 31 Dec 1999 23:59:59 GMT', '0x10'),
    ),
    parse: ([body, retryAfter]) => {
      const url = new URL('/v2/app/manifests/v1', ORIGIN);
      const error = new RegistryError({ method: 'GET', url }, { status: 400, body, retryAfter });
      for (const text of [error.message, error.said, ...error.codes])
        promise(text.length < 700 && !/\p{Cc}/u.test(text), 'its words are short and on one line');
      const pause = error.retryAfter ?? 0;
      promise(pause >= 0 && pause <= 60_000, 'it is a minute at the most');
    },
  }),
  parser('a JSON text', { input: jsonTexts({ a: 1 }), parse: (text) => safeJson(text) }),
  parser('whatever is thrown', {
    input: fc.tuple(texts('failed'), fc.oneof(fc.string(), fc.integer(), fc.constant(undefined))),
    parse: ([message, thrown]) => {
      const inner = new Error(message, { cause: thrown });
      for (const error of [thrown, inner, new AggregateError([inner, thrown]), new AggregateError([])])
        promise(wordsOf(error) !== '' || thrown === '', 'it is in words');
    },
  }),
  parser('an address for the log', {
    input: fc.webUrl({
      withQueryParameters: true,
      withFragments: true,
      authoritySettings: { withUserInfo: true },
    }),
    parse: (text) => {
      const url = new URL(text);
      const shown = redactUrl(url);
      promise(url.search === '' ? !shown.includes('?') : shown.endsWith('?…'), 'it has no query');
      promise(!shown.includes('#') && !shown.split('/')[2]?.includes('@'), 'nor a fragment or a user');
    },
  }),
  parser('a place that an answer leads to', {
    input: texts(...ADDRESSES),
    parse: (text) => {
      for (const target of [webAddress(text), webAddress(text, ORIGIN)]) if (target) assertWeb(target);
      promise(leadsTo(text, new URL(ORIGIN))?.protocol !== 'http:', 'it does not lead out of TLS');
    },
  }),
  parser('a redirect', {
    input: texts(...ADDRESSES),
    refuses: [RegistryError, Error],
    parse: async (location) => {
      const { transport, requests } = answering(307, { location });
      const session = createSession(
        ORIGIN,
        transport,
        tokenAuthorizer(async () => `Basic ${SECRET}`),
      );
      const url = new URL('/v2/app/blobs/x', ORIGIN);
      await session.send({ method: 'GET', url, scope: SCOPE, expect: [200] }).catch(() => undefined);
      promise(requests.length <= 6, 'it is followed five times');
      for (const { url: target, headers } of requests) {
        assertWeb(target);
        promise(
          target.origin === ORIGIN || !headers?.authorization,
          'the credentials stay where they belong',
        );
      }
    },
  }),
  parser('a challenge', {
    input: texts(CHALLENGE, 'Basic realm="x"', `Basic, ${CHALLENGE}`, ' realm="'.repeat(1_000)),
    parse: async (challenge) => {
      const { transport, requests } = answering(200, {}, '{"token":"t"}');
      const authorizer = challengedAuthorizer(ORIGIN, transport, async () => SECRET);
      await authorizer.challenged(challenge, SCOPE, undefined);
      const header = await authorizer.header(SCOPE);
      promise([undefined, `Basic ${SECRET}`, 'Bearer t'].includes(header), 'it gives one of these headers');
      for (const { url, headers } of requests) {
        assertWeb(url);
        promise(url.protocol === 'https:' || !headers?.authorization, 'no credentials go without TLS');
      }
    },
  }),
  parser('where a list of referrers goes on', {
    input: fc.oneof(
      texts(
        ...ADDRESSES.map((address) => `<${address}>; rel="next"`),
        '<?n=1>; rel=next',
        '<x>;'.repeat(5_000),
      ),
      texts(...ADDRESSES).map((address) => `<${address}>; rel="next"`),
    ),
    refuses: [ManifestError],
    parse: (link) => {
      const next = nextPage(link, new URL('/v2/app/referrers/x', ORIGIN));
      if (!next) return;
      assertWeb(next);
      promise(next.origin === ORIGIN, 'it is in the same registry');
    },
  }),
  parser('a list of referrers', {
    input: jsonTexts({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [
        { mediaType: OCI_INDEX, digest: `sha256:${HEX}`, size: 1, artifactType: 'a', annotations: {} },
      ],
    }),
    refuses: [ManifestError],
    parse: (text) => {
      const listed = parseReferrers(Buffer.from(text), OCI_INDEX);
      promise(listed.length <= 1_000, 'there is an end to it');
      for (const { digest, ...rest } of listed) {
        promise(isDigest(digest), 'each has a digest');
        promise(Object.keys(rest).length === 2, 'and nothing that is said of it');
      }
    },
  }),
  parser("a token service's answer", {
    input: jsonTexts({ token: 'abc', access_token: 'abc', expires_in: 300 }),
    refuses: [RegistryError, ContentError],
    parse: async (body) => {
      const authorizer = challengedAuthorizer(ORIGIN, answering(200, {}, body).transport);
      await authorizer.challenged(CHALLENGE, SCOPE, undefined);
      promise(/^Bearer [!-~]+$/.test((await authorizer.header(SCOPE)) ?? ''), 'it fits into a header');
    },
  }),
  parser('a range of a download', {
    input: fc.tuple(texts('bytes=0-9', 'bytes=-5', 'bytes=7-', 'bytes=0-0,2-3'), fc.nat(20)),
    refuses: [Refusal],
    parse: ([header, size]) => {
      const range = parseRange(header, size);
      if (!range) return;
      promise(range.start >= 0 && range.start <= range.end && range.end < size, 'it lies within');
    },
  }),
  parser('a range of an upload', {
    input: texts('0-9', 'bytes 5-9/10', 'bytes=0-0/*'),
    refuses: [Refusal],
    parse: (header) => {
      const range = parseContentRange(header);
      if (range) promise(range.start >= 0 && range.start <= range.end, 'it begins before it ends');
    },
  }),
  parser('an address of the API', {
    input: texts(
      ...['/v2/', '/v2/a/b/tags/list', '/v2/app/blobs/uploads/', '/v2/app/blobs/uploads/u-1'],
      ...[
        `/v2/a/blobs/b/blobs/sha256:${HEX}`,
        '/v2/a/manifests/v1',
        `/v2/a/referrers/sha256:${HEX}`,
        '/v2/%2e%2e/x',
      ],
    ),
    refuses: [Refusal],
    parse: (path) => {
      const route = parseRoute(path);
      if (route.kind === 'ping') return;
      promise(isRepositoryName(route.name), 'it names a repository that can be');
      if ('digest' in route) promise(isDigest(route.digest), 'its digest is one');
      if ('reference' in route)
        promise(isTag(route.reference) || isDigest(route.reference), 'so is its reference');
      if ('id' in route) promise(!route.id.includes('/'), "its upload's id is one name");
    },
  }),
  parser("a blob's content", {
    input: fc.array(bytesOf(texts('content', 'con', 'tent')), { maxLength: 4 }),
    refuses: [ContentError],
    parse: async (pieces) => {
      const read = Readable.from(pieces.map((piece) => Buffer.from(piece)));
      const verified = verifyContent(layer, 'here');
      const chunks: Buffer[] = [];
      verified.on('data', (chunk: Buffer) => chunks.push(chunk));
      await pipeline(read, verified);
      promise(Buffer.concat(chunks).toString() === 'content', 'it is what its digest says');
    },
  }),
];
