import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { hexOf } from '../../src/image/digest.ts';
import { blobsOf, describe as descriptorOf } from '../../src/image/manifest.ts';
import { LayoutError, openLayout } from '../../src/layout/layout.ts';
import { makeFolder } from '../support/folder.ts';
import { imageOf } from '../support/images.ts';
import { writeLayout } from '../support/layout.ts';
import { rejectionOf } from './support.ts';

const amd64 = imageOf('linux/amd64');
const [config] = blobsOf(amd64.root);
const SECRET = 'aws_secret_access_key = hunter2';

async function layoutOf(): Promise<string> {
  const dir = await makeFolder();
  await writeLayout(dir, amd64);
  return dir;
}

function fileOf(dir: string, digest = amd64.root.digest): string {
  return join(dir, 'blobs', 'sha256', hexOf(digest));
}

/** Puts a link in the place of a file or folder, to where it is now. */
async function link(path: string): Promise<void> {
  const away = join(await makeFolder(), 'away');
  await rename(path, away);
  await symlink(away, path);
}

async function replace(path: string, write: (path: string) => unknown): Promise<void> {
  await rm(path, { recursive: true });
  await write(path);
}

const MAKE_PIPE = 'mkfifo';
const pipe = (path: string) => execFileSync(MAKE_PIPE, [path]);
const folder = (path: string) => mkdir(path);
/** A file with nothing in it but its length. */
const huge = async (path: string) => {
  await writeFile(path, '');
  await truncate(path, 1_000_000_000);
};

/** What a layout is refused with when something in it has been spoiled. */
async function refusalOf(spoil: (dir: string) => unknown): Promise<string> {
  const dir = await layoutOf();
  await spoil(dir);
  const begun = performance.now();
  const error = await rejectionOf(openLayout(dir));
  expect(performance.now() - begun).toBeLessThan(5_000);
  expect(error).toBeInstanceOf(LayoutError);
  const { message } = error instanceof Error ? error : new Error();
  expect(message.length).toBeLessThan(1_500);
  return message;
}

describe.each(['oci-layout', 'index.json'])('the file %s', (name) => {
  test('that is a link is not followed, and nothing of what it leads to is told', async () => {
    const secret = join(await makeFolder(), 'credentials');
    await writeFile(secret, SECRET);
    const message = await refusalOf((dir) => replace(join(dir, name), (path) => symlink(secret, path)));
    expect(message).toMatch(/ELOOP/);
    expect(message).not.toMatch(/aws|hunter2/);
  });

  test('that is a link to an endless device is not read', async () => {
    const message = await refusalOf((dir) => replace(join(dir, name), (path) => symlink('/dev/zero', path)));
    expect(message).toMatch(/ELOOP/);
  });

  test.each([
    ['a pipe', pipe, /no file/],
    ['a folder', folder, /no file/],
    ['of a gigabyte', huge, /more than 4194304 bytes/],
  ])('that is %s is refused at once', async (_, make, words) => {
    expect(await refusalOf((dir) => replace(join(dir, name), make))).toMatch(words);
  });

  test.each([
    ['', /JSON/],
    ['\ufeff{}', /JSON/],
    ['{"imageLayoutVersion":"1.0.0","manifests":[]', /JSON/],
    ['null', /./],
    ['{"__proto__":{"imageLayoutVersion":"1.0.0","manifests":[]}}', /imageLayoutVersion|manifests/],
    [`${SECRET}\r\n::stop-commands::x`, /JSON/],
  ])('that says %j is refused, and not repeated', async (text, words) => {
    const message = await refusalOf((dir) => writeFile(join(dir, name), text));
    expect(message).toContain(`${name} cannot be read`);
    expect(message).toMatch(words);
    expect(message).not.toMatch(/hunter2|stop-commands|[\r\n]/);
  });
});

describe('what index.json lists', () => {
  test('is a thousand entries at the most, of which one root is made', async () => {
    const manifests = Array.from({ length: 20_000 }, (_, position) => ({
      mediaType: 'a/b',
      digest: `sha256:${position.toString(16).padStart(64, '0')}`,
      size: 1,
    }));
    const message = await refusalOf((dir) =>
      writeFile(join(dir, 'index.json'), JSON.stringify({ manifests })),
    );
    expect(message).toMatch(/at most 1000/);
  });

  test.each(['sha256:../../../etc/passwd', `sha256:${'a'.repeat(63)}/`, '/etc/passwd', '..'])(
    'is no path: %s',
    async (digest) => {
      const entry = { ...descriptorOf(amd64.root), digest };
      const message = await refusalOf((dir) =>
        writeFile(join(dir, 'index.json'), JSON.stringify({ manifests: [entry] })),
      );
      expect(message).toMatch(/must be a digest/);
    },
  );

  test('counts once where a key stands there twice, the last time', async () => {
    const dir = await layoutOf();
    const good = JSON.stringify([descriptorOf(amd64.root)]);
    await writeFile(join(dir, 'index.json'), `{"manifests":[{"digest":"../x"}],"manifests":${good}}`);
    expect((await openLayout(dir)).root.digest).toBe(amd64.root.digest);
  });

  test('with another size than the manifest has is refused', async () => {
    for (const size of [0, amd64.root.bytes.byteLength - 1, amd64.root.bytes.byteLength + 1]) {
      const entry = { ...descriptorOf(amd64.root), size };
      const message = await refusalOf((dir) =>
        writeFile(join(dir, 'index.json'), JSON.stringify({ manifests: [entry] })),
      );
      expect(message).toMatch(/has \d+ bytes for sha256:/);
    }
  });
});

describe('a folder of blobs', () => {
  test.each(['blobs', 'blobs/sha256'])('%s that is a link is not followed', async (name) => {
    expect(await refusalOf((dir) => link(join(dir, name)))).toMatch(/blobs.*link/);
  });

  test('that is missing is told of', async () => {
    expect(await refusalOf((dir) => rm(join(dir, 'blobs'), { recursive: true }))).toMatch(/ENOENT/);
  });
});

describe('a blob', () => {
  test.each([
    ['a pipe', pipe, /no file/],
    ['a folder', folder, /no file/],
    ['a link to an endless device', (path: string) => symlink('/dev/zero', path), /ELOOP/],
    ['of a gigabyte', huge, /has 1000000000 bytes/],
  ])('that is %s instead of a manifest is refused at once', async (_, make, words) => {
    expect(await refusalOf((dir) => replace(fileOf(dir), make))).toMatch(words);
  });

  test.each([
    ['a pipe', pipe],
    ['a folder', folder],
    ['nothing', () => undefined],
  ])('that is %s is refused by the layout itself', async (_, make) => {
    const dir = await layoutOf();
    const { source } = await openLayout(dir);
    if (!config) throw new Error('the image has a config');
    await replace(fileOf(dir, config.digest), make);
    const error = await rejectionOf(source.blob(config).then((stream) => stream.toArray()));
    expect(error).toBeInstanceOf(LayoutError);
  });

  test('that grows after it was opened is refused by its size', async () => {
    const dir = await layoutOf();
    const { source } = await openLayout(dir);
    if (!config) throw new Error('the image has a config');
    await appendFile(fileOf(dir, config.digest), 'x'.repeat(100_000));
    const read = source.blob(config).then((stream) => stream.toArray());
    await expect(read).rejects.toThrow(/has \d+ bytes for sha256:\w+, which is to have/);
  });
});
