import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { type ArtifactService, startArtifactService } from '../../emulator/github/artifactService.ts';
import { artifactLegs } from '../../src/github/legs.ts';
import type { LegStore } from '../../src/modes/services.ts';
import { Problems } from '../../src/problems.ts';
import { assembleLegs } from '../../src/release/legs/assemble.ts';
import { legOf } from '../github/legs.ts';
import { atEnd } from '../support/ends.ts';
import { setEnvironment } from '../support/environment.ts';
import { makeFolder } from '../support/folder.ts';
import { silenceOutput } from '../support/silence.ts';
import { rejectionOf } from './support.ts';

const NAME = 'ecr-multiarch-leg-x-0123456789ab-1';
const LEG = legOf(['linux/amd64']);

let service: ArtifactService;
let temp: string;
let store: LegStore;

beforeEach(async () => {
  service = await startArtifactService();
  atEnd(() => service.close());
  silenceOutput();
  setEnvironment({
    ACTIONS_RESULTS_URL: service.url,
    ACTIONS_RUNTIME_TOKEN: service.token('4711', 'stitch'),
  });
  temp = await makeFolder();
  store = artifactLegs(async () => (await import('@actions/artifact')).default, join(temp, 'run'));
});

/** A zip of files that are not packed, by whatever names; a link has the mode of one. */
function zipOf(
  files: readonly { readonly name: string; readonly text: string; readonly mode?: number }[],
): Buffer {
  const bodies: Buffer[] = [];
  const entries: Buffer[] = [];
  let at = 0;
  for (const { name, text, mode = 0o100644 } of files) {
    const [path, content] = [Buffer.from(name), Buffer.from(text)];
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800, 2);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(path.length, 22);
    const body = Buffer.concat([Buffer.from('PK\x03\x04'), common, path, content]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(mode * 0x10000, 6);
    rest.writeUInt32LE(at, 10);
    entries.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03'), common, rest, path]));
    bodies.push(body);
    at += body.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...bodies, directory, Buffer.from('PK\x05\x06'), end]);
}

/** Leaves an artifact of these bytes, as a job may that does not use the toolkit. */
async function leave(content: Buffer, name = NAME): Promise<void> {
  const token = service.token('4711', 'build');
  const ids = { workflow_run_backend_id: '4711', workflow_job_run_backend_id: 'build', name };
  const call = async (method: string, fields: object): Promise<Response> =>
    fetch(`${service.url}twirp/github.actions.results.api.v1.ArtifactService/${method}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...ids, ...fields }),
    });
  const created = Object(await (await call('CreateArtifact', { version: 4 })).json());
  const url = String(created.signed_upload_url);
  await fetch(`${url}&comp=block&blockid=MQ`, { method: 'PUT', body: new Uint8Array(content) });
  const headers = { 'x-ms-blob-content-type': 'application/zip' };
  await fetch(`${url}&comp=blocklist`, { method: 'PUT', headers, body: '<Latest>MQ</Latest>' });
  await call('FinalizeArtifact', { size: String(content.length) });
}

async function refusal(): Promise<string> {
  const error = await rejectionOf(store.list());
  expect(error).toBeInstanceOf(Problems);
  const { message } = error instanceof Error ? error : new Error();
  expect(message.length).toBeLessThan(1_000);
  expect(message).not.toMatch(/[\r\n]/);
  return message;
}

describe('an artifact that looks like a leg', () => {
  test('whose file is one is taken, whoever left it', async () => {
    await leave(zipOf([{ name: 'leg.json', text: JSON.stringify(LEG) }]));
    expect(await store.list()).toEqual([LEG]);
  });

  test.each([
    '../leg.json',
    '../../../../leg.json',
    '..\\leg.json',
    '/leg.json',
    'a/../../../leg.json',
    './x',
  ])('writes nothing outside of its own folder by the name %s', async (name) => {
    await writeFile(join(temp, 'leg.json'), 'mine');
    await leave(zipOf([{ name, text: 'evil' }]));
    await store.list().catch(() => undefined);
    expect(await readdir(temp)).toEqual(['leg.json', 'run']);
    expect(await readdir(join(temp, 'run'))).toEqual(['legs']);
    expect(await readdir(join(temp, 'run', 'legs'))).toHaveLength(1);
  });

  test('cannot have another file read by way of a link', async () => {
    const secret = join(temp, 'secret');
    await writeFile(secret, JSON.stringify(LEG));
    await leave(zipOf([{ name: 'leg.json', text: secret, mode: 0o120777 }]));
    expect(await refusal()).toMatch(/is no leg/);
  });

  test('that is large is not even fetched', async () => {
    await leave(zipOf([{ name: 'leg.json', text: 'x'.repeat(3_000_000) }]));
    expect(await refusal()).toMatch(/has 3\d{6} bytes, which no leg has/);
    expect(await readdir(temp)).toEqual([]);
  });

  test.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['another schema', JSON.stringify({ ...LEG, schema: 'ecr-multiarch/leg/v2' })],
    ['no image', JSON.stringify({ ...LEG, images: [] })],
    ['all of it in a prototype', `{"__proto__":${JSON.stringify(LEG)}}`],
    ['a digest that is a path', JSON.stringify(LEG).replaceAll(/sha256:[0-9a-f]{64}/g, 'sha256:../../x')],
    ['a platform with a line break', JSON.stringify(LEG).replaceAll('"linux"', '"linux\\n::error::x"')],
    ['a size below zero', JSON.stringify(LEG).replaceAll('"bytes":12', '"bytes":-12')],
    ['a byte order mark', `\ufeff${JSON.stringify(LEG)}`],
  ])('that has %s is refused', async (_, text) => {
    await leave(zipOf([{ name: 'leg.json', text }]));
    expect(await refusal()).toMatch(new RegExp(`^the artifact ${NAME} is no leg`));
  });

  test('cannot pollute a prototype', async () => {
    const text = JSON.stringify(LEG).replace(/^\{/, '{"__proto__":{"jobTotal":99},"constructor":{"x":1},');
    await leave(zipOf([{ name: 'leg.json', text }]));
    const [leg] = await store.list();
    expect(leg).toEqual(LEG);
    expect(leg?.jobTotal).toBeUndefined();
    expect('jobTotal' in {}).toBe(false);
  });

  test('by another name is none', async () => {
    const names = [`x${NAME}`, `${NAME}x`, `${NAME}\n`, 'ecr-multiarch-leg-x-0123456789AB-1', '__proto__'];
    for (const name of names) await leave(zipOf([{ name: 'leg.json', text: JSON.stringify(LEG) }]), name);
    expect(await store.list()).toEqual([]);
  });
});

test('legs of strangers do not make an index of theirs', () => {
  const stranger = legOf(['linux/amd64'], { runId: '4712' });
  const other = legOf(['linux/arm64'], { repository: 'team/other' });
  const expected = { repository: 'team/app', runId: '4711', platforms: [] };
  expect(assembleLegs([stranger, other], expected)).toMatchObject({ kind: 'refused' });
});
