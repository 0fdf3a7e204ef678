import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import type { Emulator } from '../../emulator/emulator.ts';
import { type Digest, digestOf } from '../../src/image/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/image/mediaTypes.ts';

const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** A repository policy that lets other accounts in. */
export const OPEN_POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: '*', Action: 'ecr:*' }],
});

/** Credentials, as the SDK gives and takes them. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** An access key, or credentials. */
export type Who = string | Credentials;

/** The SDK's client of a region, as a user's own tools make it. */
export function ecrClient(emulator: Emulator, region: string, who: Who = 'AKIDEMULATOR'): ECRClient {
  const credentials = typeof who === 'string' ? { accessKeyId: who, secretAccessKey: 'secret' } : who;
  return new ECRClient({ endpoint: emulator.endpoint, region, credentials, maxAttempts: 1 });
}

/** What the tests do over /v2/ of one region, as a client with a token does it. */
export interface Registry {
  readonly token: string;
  call(method: string, path: string, init?: RequestInit): Promise<Response>;
  pushBlob(repository: string, content: Buffer): Promise<Response>;
  pushManifest(repository: string, reference: string, manifest: TestManifest): Promise<Response>;
  /** Pushes config, layer and manifest, by digest and, if there is one, under a tag. */
  pushImage(repository: string, image: TestImage, tag?: string): Promise<void>;
}

/** A manifest with its bytes, type and digest. */
export interface TestManifest {
  readonly text: string;
  readonly mediaType: string;
  readonly digest: Digest;
}

export interface TestImage extends TestManifest {
  readonly config: Buffer;
  readonly layer: Buffer;
}

export function manifestOf(body: Readonly<Record<string, unknown>>, mediaType: string): TestManifest {
  const text = JSON.stringify(body);
  return { text, mediaType, digest: digestOf(Buffer.from(text)) };
}

/** An image of one platform; `fields` go into its manifest. */
export function imageOf(architecture: string, fields: Readonly<Record<string, unknown>> = {}): TestImage {
  const config = Buffer.from(JSON.stringify({ os: 'linux', architecture }));
  const layer = Buffer.from(`the layer for ${architecture}`);
  const body = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptorOf(config, CONFIG_TYPE),
    layers: [descriptorOf(layer, LAYER_TYPE)],
    ...fields,
  };
  return { ...manifestOf(body, OCI_MANIFEST), config, layer };
}

export function descriptorOf(content: Buffer, mediaType: string) {
  return { mediaType, digest: digestOf(content), size: content.length };
}

/** An index of these images. */
export function indexOf(...children: readonly TestManifest[]): TestManifest {
  const manifests = children.map(({ text, mediaType }, position) => ({
    ...descriptorOf(Buffer.from(text), mediaType),
    platform: { os: 'linux', architecture: position === 0 ? 'amd64' : 'arm64' },
  }));
  return manifestOf({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }, OCI_INDEX);
}

/** Logs in to a region's registry. */
export async function logIn(emulator: Emulator, region: string, who?: Who): Promise<Registry> {
  const client = ecrClient(emulator, region, who);
  const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}));
  client.destroy();
  return registryWith(emulator.url(region), authorizationData?.[0]?.authorizationToken ?? '');
}

/** A region's registry with a token at hand. */
export function registryWith(url: string, token: string): Registry {
  const call: Registry['call'] = (method, path, { headers, ...init } = {}) =>
    fetch(new URL(path, url), {
      method,
      redirect: 'manual',
      headers: { Authorization: `Basic ${token}`, ...Object.fromEntries(new Headers(headers)) },
      ...init,
    });
  const pushBlob: Registry['pushBlob'] = async (repository, content) => {
    const started = await call('POST', `/v2/${repository}/blobs/uploads/`);
    const location = new URL(started.headers.get('location') ?? '', url);
    location.searchParams.set('digest', digestOf(content));
    return call('PUT', location.href, { body: new Uint8Array(content) });
  };
  const pushManifest: Registry['pushManifest'] = (repository, reference, { text, mediaType }) =>
    call('PUT', `/v2/${repository}/manifests/${reference}`, {
      body: text,
      headers: { 'Content-Type': mediaType },
    });
  const pushImage: Registry['pushImage'] = async (repository, image, tag) => {
    for (const blob of [image.config, image.layer]) await pushBlob(repository, blob);
    const response = await pushManifest(repository, tag ?? image.digest, image);
    if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
  };
  return { token, call, pushBlob, pushManifest, pushImage };
}

/** The status and the first error of an answer. */
export async function errorOf(
  response: Response,
): Promise<[status: number, code: unknown, message: unknown]> {
  const { errors } = JSON.parse(await response.text());
  return [response.status, errors[0].code, errors[0].message];
}
