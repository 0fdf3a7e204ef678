import { randomBytes } from 'node:crypto';
import { expect } from '@jest/globals';
import type { Behaviour } from '../../emulator/behaviour.ts';
import type { Emulator } from '../../emulator/emulator.ts';
import { digestOf } from '../../src/image/digest.ts';
import { logIn } from '../emulator/support.ts';
import { emulate, REGIONS } from '../support/emulated.ts';
import { imageOf } from '../support/images.ts';
import { bytesOf, everywhere, kindOf, land, mirror, publish, shown, statusesOf, stitch } from './act.ts';
import { bothWays, fact } from './fact.ts';

const MIB = 1024 * 1024;
const REGION = 'us-east-1';
const ONE = { regions: REGION };
const layer = randomBytes(30 * MIB);
const large = imageOf('linux/amd64', { layers: [layer] });
const small = imageOf('linux/amd64', { layers: ['one', 'two'] });

/** Every request to an upload, or that begins one. */
function uploadsIn({ requests }: Emulator) {
  return requests.filter(({ path }) => path.includes('/blobs/uploads/'));
}

/** Publishes a layer of 30 MiB, and looks how it came and what is there. */
async function expectWhole(behaviour: Partial<Behaviour>): Promise<void> {
  const emulator = await emulate({ behaviour, regions: [REGION] });
  const { states, sent } = await publish(large, ONE);
  expect([states, sent]).toEqual([['published'], [bytesOf(large)]]);
  const uploads = uploadsIn(emulator);
  expect(new Set(uploads.map(({ method, status }) => `${method} ${status}`))).toEqual(
    new Set(['POST 202', 'PUT 201']),
  );
  const puts = uploads.filter(({ method }) => method === 'PUT');
  expect(puts.map(({ received }) => received).toSorted((one, other) => other - one)[0]).toBe(30 * MIB);
  expect(puts).toHaveLength(large.blobs.size);
  const { call } = await logIn(emulator, REGION);
  const elsewhere = await call('GET', `/v2/team/app/blobs/${digestOf(layer)}`);
  const bytes = await (await fetch(elsewhere.headers.get('location') ?? '')).arrayBuffer();
  expect(Buffer.from(bytes).equals(layer)).toBe(true);
}

bothWays('8', 'uploads', 'a large layer comes whole, in one piece that needs no Range', (_, behaviour) =>
  expectWhole(behaviour),
);

bothWays(
  '8',
  'uploadStatus',
  'a large layer comes whole without that its upload is looked at',
  (_, behaviour) => expectWhole(behaviour),
);

fact('8', 'an upload that breaks is not gone on with: another one brings the layer whole', async () => {
  let broken = 0;
  const emulator = await emulate({
    regions: [REGION],
    fault: ({ method, path }) => {
      if (method !== 'PUT' || !path.includes('/uploads/') || broken === 2) return undefined;
      broken += 1;
      return 'reset';
    },
  });
  expect((await publish(large, ONE)).states).toEqual(['published']);
  const uploads = uploadsIn(emulator);
  expect(uploads.filter(({ status }) => status === 0)).toHaveLength(2);
  expect(new Set(uploads.map(({ method }) => method))).toEqual(new Set(['POST', 'PUT']));
  const begun = uploads.filter(({ method }) => method === 'PUT').map(({ path }) => path.split('?')[0]);
  expect(new Set(begun).size).toBe(begun.length);
});

fact('8a', 'a layer is never sent in parts, so that none of them can be too small', async () => {
  const emulator = await emulate({ regions: [REGION], behaviour: { minimumPart: 31 * MIB } });
  expect((await publish(large, ONE)).states).toEqual(['published']);
  expect(statusesOf(emulator, 'PUT uploads')).toEqual([201, 201]);
});

bothWays(
  '8b',
  'absoluteLocation',
  'a layer is one PUT with its length, to where the POST said',
  async (_, behaviour) => {
    const emulator = await emulate({ behaviour });
    const { states, asked } = await mirror(small);
    expect(states).toEqual(everywhere('published'));
    const puts = asked.filter(
      ({ method, url }) => method === 'PUT' && url.pathname.includes('/blobs/uploads/'),
    );
    expect(puts).toHaveLength(3 * REGIONS.length);
    for (const { headers, url } of puts) {
      const content = [...small.blobs].find(([digest]) => digest === url.searchParams.get('digest'))?.[1];
      expect(headers?.['content-length']).toBe(String(content?.byteLength));
      expect(headers?.['transfer-encoding']).toBeUndefined();
    }
    expect(statusesOf(emulator, 'PUT uploads')).toEqual(Array(puts.length).fill(201));
  },
);

fact('9', 'a layer that the registry finds too large is told of, with the limit', async () => {
  const emulator = await emulate({ behaviour: { maximumLayer: 100 } });
  const { states, errors } = await mirror(imageOf('linux/amd64', { layers: ['x'.repeat(101)] }));
  expect(states).toEqual(everywhere('failed'));
  for (const error of errors)
    expect(error).toMatch(/The layer exceeds the limit .*\(make the layer smaller .*52,000 MiB/);
  expect(await shown(emulator)).toEqual(everywhere(null));
});

bothWays(
  '10',
  'redirectBlobs',
  'a layer is read from where the registry leads to',
  async (redirects, behaviour) => {
    const emulator = await emulate({ behaviour });
    await land([small], { regions: 'eu-west-1,sa-east-1' });
    const { states, sent } = await stitch([small]);
    expect(states).toEqual(everywhere('published'));
    expect(sent).toEqual([bytesOf(small), 0, 0]);
    // Regions take turns at being asked, the one that lacks what is read among them.
    const read = emulator.requests.filter((each) => kindOf(each) === 'GET blobs' && each.status !== 404);
    expect(read.map(({ status }) => status)).toEqual(Array(3).fill(redirects ? 307 : 200));
  },
);

bothWays('10a', 'forwardedAuthorization', 'the storage is asked without a token', async (_, behaviour) => {
  const emulator = await emulate({ behaviour });
  await land([small], { regions: 'eu-west-1,sa-east-1' });
  const { states, asked } = await stitch([small]);
  expect(states).toEqual(everywhere('published'));
  const hosts = REGIONS.map((region) => new URL(emulator.url(region)).host);
  const elsewhere = asked.filter(({ url }) => !hosts.includes(url.host));
  expect(elsewhere).toHaveLength(3);
  for (const { headers, url } of elsewhere) {
    expect(url.pathname).toMatch(/^\/_s3\//);
    expect(Object.keys(headers ?? {}).map((name) => name.toLowerCase())).not.toContain('authorization');
  }
});

fact('16', 'a hundred layers are asked for in a call, and none for itself', async () => {
  const emulator = await emulate();
  const layers = Array.from({ length: 150 }, (_, position) => `layer ${position}`);
  const many = imageOf('linux/amd64', { layers });
  expect((await mirror(many)).states).toEqual(everywhere('published'));
  expect(statusesOf(emulator, 'BatchCheckLayerAvailability', REGION)).toEqual([200, 200]);
  expect(statusesOf(emulator, 'HEAD blobs')).toEqual([]);
});

bothWays('16a', 'absentLayers', 'what is absent is sent, and what is there is not', async (_, behaviour) => {
  const emulator = await emulate({ behaviour });
  const { pushBlob } = await logIn(emulator, 'eu-west-1');
  await pushBlob('team/app', Buffer.from('two'));
  const { sent, states } = await mirror(small);
  expect(states).toEqual(everywhere('published'));
  expect(sent).toEqual([bytesOf(small), bytesOf(small) - 3, bytesOf(small)]);
  expect((await mirror(small)).sent).toEqual([0, 0, 0]);
});
