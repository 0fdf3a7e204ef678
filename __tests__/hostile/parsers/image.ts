import * as z from 'zod/mini';
import { ecrRefusals } from '../../../src/ecr/manifestRules.ts';
import { descriptorSchema } from '../../../src/image/descriptor.ts';
import { digestOf, hexOf, isDigest } from '../../../src/image/digest.ts';
import { composeIndex } from '../../../src/image/index.ts';
import {
  blobsOf,
  childrenOf,
  describe,
  type Manifest,
  ManifestError,
  parseManifest,
  platformFromConfig,
} from '../../../src/image/manifest.ts';
import {
  formatPlatform,
  normalizePlatform,
  PlatformError,
  parsePlatform,
  platformSchema,
  samePlatform,
} from '../../../src/image/platform.ts';
import {
  formatReference,
  ImageReferenceError,
  isRepositoryName,
  isTag,
  parseReference,
} from '../../../src/image/reference.ts';
import { plain } from '../../../src/words.ts';
import { attestationOf, imageOf, indexOf } from '../../support/images.ts';
import { bytesOf, jsonTexts, type Parser, parser, promise, texts } from './parser.ts';

const image = imageOf('linux/arm/v7');
const index = indexOf([image, imageOf('windows/amd64', { docker: false }), attestationOf(image)]);
const DIGEST = image.root.digest;
const annotated = indexOf([image], { annotations: { a: 'b' }, subject: describe(image.root) });
const manifests = [image.root, index.root, annotated.root, imageOf('linux/386', { docker: true }).root].map(
  ({ bytes }): unknown => JSON.parse(Buffer.from(bytes).toString()),
);

function assertManifest(read: Manifest, bytes: Uint8Array): void {
  promise(read.bytes === bytes && read.digest === digestOf(bytes), 'its digest is that of its bytes');
  const parts = [...blobsOf(read), ...childrenOf(read)];
  promise(parts.length <= 1_001, 'it has a thousand parts at the most');
  promise(
    parts.every(({ digest, size }) => isDigest(digest) && Number.isSafeInteger(size) && size >= 0),
    'digests and sizes are such',
  );
  const again = parseManifest(bytes, read.mediaType);
  promise(again.kind === read.kind && again.mediaType === read.mediaType, 'it reads the same again');
}

export const IMAGE_PARSERS: readonly Parser[] = [
  parser('a digest', {
    input: texts(DIGEST, `${DIGEST}\n`),
    parse: (text) => {
      if (isDigest(text)) promise(/^[0-9a-f]{64}$/.test(hexOf(text)), 'it names a file');
    },
  }),
  parser('a reference', {
    input: texts('nginx', 'team/app:v1', `127.0.0.1:5000/a/b@${DIGEST}`, '[::1]:80/a/b:c', 'localhost/a'),
    refuses: [ImageReferenceError],
    parse: (text) => {
      const reference = parseReference(text);
      const again = parseReference(formatReference(reference));
      promise(JSON.stringify(again) === JSON.stringify(reference), 'it reads the same again');
      const url = new URL(`https://${reference.registry}/`);
      promise(url.pathname === '/' && url.username === '' && url.search === '', 'its registry is a host');
    },
  }),
  parser('a repository and a tag', {
    input: texts('team/app', 'v1.2-x_y', 'a__b', 'a--b'),
    parse: (text) => {
      if (!isRepositoryName(text) && !isTag(text)) return;
      promise(
        new URL(`https://a.example/v2/${text}/x`).pathname === `/v2/${text}/x`,
        'it fits into an address',
      );
    },
  }),
  parser('a platform', {
    input: texts('linux/amd64', 'linux/arm/v7', 'macOS/aarch64', 'windows/x86-64', 'linux/arm64/8'),
    refuses: [PlatformError],
    parse: (text) => {
      const platform = parsePlatform(text);
      promise(z.safeParse(platformSchema, platform).success, 'it is one that images may have');
      promise(samePlatform(parsePlatform(formatPlatform(platform)), platform), 'it reads the same again');
    },
  }),
  parser("an image's platform", {
    input: jsonTexts({ os: 'windows', architecture: 'x86_64', variant: '8', 'os.version': '10.0', a: 1 }),
    parse: (text) => {
      const { data } = z.safeParse(platformSchema, safely(text));
      if (!data) return;
      const normal = normalizePlatform(data);
      promise(formatPlatform(normal) === formatPlatform(data), 'its normal form is that');
      promise(/^[\w.+()/-]*$/.test(formatPlatform(data)), 'it is harmless where it is shown');
    },
  }),
  parser('a manifest', {
    input: bytesOf(jsonTexts(...manifests)),
    refuses: [ManifestError],
    parse: (bytes) => assertManifest(parseManifest(bytes), bytes),
  }),
  parser('a manifest that is given as something', {
    input: texts(image.root.mediaType, `${index.root.mediaType}; charset=utf-8`, 'application/json'),
    refuses: [ManifestError],
    parse: (type) => {
      const { mediaType } = parseManifest(index.root.bytes, type);
      promise(mediaType === index.root.mediaType, 'it is what it calls itself');
    },
  }),
  parser('what ECR would refuse of a manifest', {
    input: bytesOf(jsonTexts(...manifests)),
    refuses: [ManifestError],
    parse: (bytes) => {
      for (const reason of ecrRefusals(parseManifest(bytes)))
        promise(!/\p{Cc}/u.test(reason) && reason.length < 1_000, 'a reason is short and on one line');
    },
  }),
  parser("an image's config", {
    input: bytesOf(
      jsonTexts({ os: 'linux', architecture: 'arm', variant: 'v7', rootfs: { type: 'layers' } }),
    ),
    refuses: [ManifestError],
    parse: (bytes) => {
      const platform = platformFromConfig(bytes);
      promise(platform.os !== '' && platform.architecture !== '', 'it names os and architecture');
      promise(z.safeParse(platformSchema, platform).success, 'it is a platform');
    },
  }),
  parser('the children of an index', {
    input: jsonTexts([image.listed, attestationOf(image).listed, imageOf('linux/s390x').listed]),
    refuses: [ManifestError],
    parse: (text) => {
      const { data } = z.safeParse(z.array(descriptorSchema), safely(text));
      if (!data) return;
      const composed = composeIndex(data, { __proto__: 'x', a: '\n' });
      promise(
        composeIndex(data.toReversed(), { a: '\n' }).digest === composed.digest,
        'their order is nothing',
      );
    },
  }),
  parser('a text from outside', {
    input: texts('a message', 'x'.repeat(2_000)),
    parse: (text) => {
      for (const most of [1, 80, 500]) {
        const shown = plain(text, most);
        promise(
          shown.length <= most + 1 && !/[\p{Cc}\u2028\u2029\u202e]/u.test(shown),
          'it is short and plain',
        );
      }
    },
  }),
];

function safely(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
