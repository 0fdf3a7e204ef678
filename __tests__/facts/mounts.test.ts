import { PutAccountSettingCommand } from '@aws-sdk/client-ecr';
import { expect } from '@jest/globals';
import type { Behaviour } from '../../emulator/behaviour.ts';
import type { Emulator, EmulatorOptions } from '../../emulator/emulator.ts';
import type { RepositorySettings } from '../../emulator/state/settings.ts';
import { ecrClient, logIn } from '../emulator/support.ts';
import { emulate, REGIONS } from '../support/emulated.ts';
import { setEnvironment } from '../support/environment.ts';
import { imageOf, indexOf } from '../support/images.ts';
import {
  type Acted,
  act,
  bytesOf,
  everywhere,
  kindOf,
  land,
  mirror,
  publish,
  shown,
  statusesOf,
} from './act.ts';
import { bothWays, fact } from './fact.ts';

const image = imageOf('linux/amd64', { layers: ['one', 'two', 'three'] });
const index = indexOf([image]);
const SIZE = bytesOf(image);
const ACCOUNT = '123456789012';
const BASE = 'team/base';

interface Scene extends Partial<EmulatorOptions> {
  readonly behaviour: Partial<Behaviour>;
  /** The settings of the repository to mount from. */
  readonly base?: Partial<RepositorySettings>;
  /** Where that has the image. */
  readonly regions?: readonly string[];
}

/** An emulator in which another repository has all of the image. */
async function start({ behaviour, base, regions = REGIONS, ...options }: Scene): Promise<Emulator> {
  const emulator = await emulate({ behaviour, ...options });
  emulator.createRepository(BASE, base);
  await land([image], { repository: BASE, regions: regions.join() });
  return emulator;
}

/** Publishes the image, whose layers may be mounted; gives what was asked for that. */
async function mount(emulator: Emulator): Promise<Acted & { readonly requests: Emulator['requests'] }> {
  const before = emulator.requests.length;
  const acted = await mirror(image, { 'mount-from': BASE });
  const requests = emulator.requests.slice(before);
  expect(acted.errors).toEqual([]);
  expect(acted.states).toEqual(everywhere('published'));
  expect(await shown(emulator)).toEqual(everywhere(image.root.digest));
  return { ...acted, requests };
}

/** The statuses of the requests that would mount a blob, or began an upload, in a region. */
function posts(requests: Emulator['requests'], how: 'mount' | 'upload', region?: string): number[] {
  const wanted = requests.filter(({ path }) => path.includes('mount=') === (how === 'mount'));
  return statusesOf({ requests: wanted }, 'POST uploads', region);
}

bothWays(
  '7',
  'blobMounting',
  'layers are mounted where the account has it set, else sent',
  async (on, behaviour) => {
    const emulator = await start({ behaviour });
    const { sent, requests } = await mount(emulator);
    expect(sent).toEqual(everywhere(on ? 0 : SIZE));
    expect(posts(requests, 'mount')).toEqual(on ? Array(4 * REGIONS.length).fill(201) : []);
    expect(statusesOf({ requests }, 'PUT uploads')).toHaveLength(on ? 0 : 4 * REGIONS.length);
  },
);

fact('7', 'a region where it is set mounts, whatever the others have', async () => {
  const emulator = await start({ behaviour: {} });
  const setting = { name: 'BLOB_MOUNTING', value: 'ENABLED' };
  await ecrClient(emulator, 'eu-west-1').send(new PutAccountSettingCommand(setting));
  expect((await mount(emulator)).sent).toEqual([SIZE, 0, SIZE]);
});

fact('7', 'a mirror within a registry mounts all layers and sends none', async () => {
  const emulator = await start({ behaviour: { blobMounting: true } });
  await publish(index, { repository: BASE });
  const source = `${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/${BASE}:v1`;
  const before = emulator.requests.length;
  const { sent, states } = await act({ mode: 'mirror', source, tags: 'v1' });
  const requests = emulator.requests.slice(before);
  expect([states, sent]).toEqual([everywhere('published'), everywhere(0)]);
  expect(requests.filter((each) => /^(?:GET blobs|PUT uploads)$/.test(kindOf(each)))).toEqual([]);
});

fact(
  '7a',
  'a layer of a repository that is encrypted otherwise is sent, in the upload that begins instead',
  async () => {
    const base = { encryptionConfiguration: { encryptionType: 'KMS' } } as const;
    const emulator = await start({ behaviour: { blobMounting: true }, base });
    const { sent, requests } = await mount(emulator);
    expect(sent).toEqual(everywhere(SIZE));
    expect(posts(requests, 'mount')).toEqual(Array(4 * REGIONS.length).fill(202));
    const uploads = requests.filter((each) => kindOf(each) === 'PUT uploads');
    expect(uploads.map(({ status }) => status)).toEqual(Array(4 * REGIONS.length).fill(201));
  },
);

fact('7a', 'a layer is mounted in the regions alone where the other repository has it', async () => {
  const emulator = await start({ behaviour: { blobMounting: true }, regions: ['eu-west-1'] });
  const { sent, requests } = await mount(emulator);
  expect(sent).toEqual([SIZE, 0, SIZE]);
  expect(posts(requests, 'mount', 'us-east-1')).toEqual([]);
});

bothWays(
  '7b',
  'unreadableMount',
  'a layer of a repository that may not be read is sent',
  async (how, behaviour) => {
    const resources = [`arn:aws:ecr:*:${ACCOUNT}:repository/${BASE}`];
    const emulator = await start({
      behaviour: { ...behaviour, blobMounting: true },
      principals: {
        AKIDTEST: { account: ACCOUNT },
        AKIDCI: {
          account: ACCOUNT,
          policy: [
            { effect: 'Allow', actions: ['*'], resources: ['*'] },
            { effect: 'Deny', actions: ['ecr:GetDownloadUrlForLayer'], resources },
          ],
        },
        AKIDEMULATOR: { account: ACCOUNT },
      },
    });
    setEnvironment({ AWS_ACCESS_KEY_ID: 'AKIDCI' });
    const { sent, requests } = await mount(emulator);
    expect(sent).toEqual(everywhere(SIZE));
    const status = how === 'refused' ? 403 : 202;
    expect(posts(requests, 'mount')).toEqual(Array(4 * REGIONS.length).fill(status));
  },
);

bothWays(
  '7c',
  'mountNeedsManifest',
  'a layer that no manifest there refers to is sent',
  async (needed, behaviour) => {
    const emulator = await emulate({ behaviour: { ...behaviour, blobMounting: true } });
    emulator.createRepository(BASE);
    for (const region of REGIONS) {
      const { pushBlob } = await logIn(emulator, region);
      for (const content of image.blobs.values()) await pushBlob(BASE, Buffer.from(content));
    }
    const { sent, requests } = await mount(emulator);
    expect(sent).toEqual(everywhere(needed ? SIZE : 0));
    expect(posts(requests, 'mount')).toEqual(Array(4 * REGIONS.length).fill(needed ? 202 : 201));
  },
);
