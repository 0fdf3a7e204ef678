import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ArtifactService, startArtifactService } from '../../emulator/github/artifactService.ts';
import type { Contest } from '../report/contest.ts';
import { imagetoolsCreate, manifestLoop, regctlCreate } from '../subjects/stitchers.ts';
import { REPOSITORY } from '../world/builder.ts';
import { startWorld, type World } from '../world/world.ts';
import { type LegImage, landLegs, type Run, stitch, writeLegImages } from './legs.ts';
import { PLACES, RATE, type Setting } from './setting.ts';

/** Two images, which every region has, become one: under one tag, in four regions. */
export async function stitching(setting: Setting): Promise<Contest> {
  const { environment } = setting.builder;
  const images = await writeLegImages(setting.dir);
  const digests = images.map(({ digest }) => digest);
  const artifacts = await startArtifactService();
  const stage = new Stage(setting, images, artifacts);
  const manifestLists = images.map(({ architecture }) => twinTag(architecture));
  return {
    title: 'Stitch of two legs in four regions, 20 MB/s a connection',
    contenders: [
      {
        name: 'ours',
        run: async (round) => stitch(setting.action, (await stage.of(round)).run, 'ours'),
      },
      {
        name: 'docker manifest, region by region',
        run: async (round) =>
          manifestLoop(environment, (await stage.of(round)).world.hosts, { tag: 'docker', manifestLists }),
      },
      {
        name: 'imagetools create',
        run: async (round) =>
          imagetoolsCreate(environment, (await stage.of(round)).world.hosts, { tag: 'imagetools', digests }),
      },
      {
        name: 'regctl, side by side',
        run: async (round) =>
          regctlCreate(setting.dir, (await stage.of(round)).world.hosts, { tag: 'regctl', digests }),
      },
    ],
    ratios: [
      { of: 'ours', over: 'docker manifest, region by region', target: 0.3 },
      { of: 'ours', over: 'imagetools create', target: 1.5 },
      { of: 'ours', over: 'regctl, side by side' },
    ],
    async close() {
      await stage.close();
      await artifacts.close();
    },
  };
}

interface Scene {
  readonly world: World;
  readonly run: Run;
}

/** The regions of one round, which its contenders share: each publishes under a tag of its own. */
class Stage {
  readonly #setting: Setting;
  readonly #images: readonly LegImage[];
  readonly #artifacts: ArtifactService;
  #current: { round: number; scene: Scene } | undefined;

  constructor(setting: Setting, images: readonly LegImage[], artifacts: ArtifactService) {
    this.#setting = setting;
    this.#images = images;
    this.#artifacts = artifacts;
  }

  async of(round: number): Promise<Scene> {
    if (this.#current?.round === round) return this.#current.scene;
    await this.close();
    const world = await startWorld(this.#setting, PLACES, { rate: RATE });
    const run = {
      regions: world.regions,
      addresses: world,
      artifacts: this.#artifacts,
      id: String(1000 + round),
    };
    this.#current = { round, scene: { world, run } };
    await landLegs(this.#setting.action, this.#images, run);
    await Promise.all(
      world.origins.flatMap((origin) => this.#images.map((image) => putDockerTwin(origin, image))),
    );
    return this.#current.scene;
  }

  async close(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    await current?.scene.world.close();
  }
}

function twinTag(architecture: string): string {
  return `legs-${architecture}`;
}

const DOCKER_TYPES: readonly (readonly [string, string])[] = [
  ['vnd.oci.image.manifest.v1+json', 'vnd.docker.distribution.manifest.v2+json'],
  ['vnd.oci.image.config.v1+json', 'vnd.docker.container.image.v1+json'],
  ['vnd.oci.image.layer.v1.tar+gzip', 'vnd.docker.image.rootfs.diff.tar.gzip'],
];

/** `docker manifest` of that age takes Docker's media types alone: it gets the same image with those. */
async function putDockerTwin(origin: string, { layout, digest, architecture }: LegImage): Promise<void> {
  const manifest = await readFile(join(layout, 'blobs', 'sha256', digest.slice('sha256:'.length)), 'utf8');
  const body = DOCKER_TYPES.reduce((text, [oci, docker]) => text.replaceAll(oci, docker), manifest);
  const answer = await fetch(`${origin}/v2/${REPOSITORY}/manifests/${twinTag(architecture)}`, {
    method: 'PUT',
    headers: { 'content-type': `application/${DOCKER_TYPES[0]?.[1]}` },
    body,
  });
  if (!answer.ok) throw new Error(`the registry refused a manifest: ${await answer.text()}`);
}
