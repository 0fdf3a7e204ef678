import { join } from 'node:path';
import type { Environment } from '../../__tests__/e2e/engines/process.ts';
import { writeLayout } from '../../demo/image.ts';
import type { ArtifactService } from '../../emulator/github/artifactService.ts';
import { parsePlatform } from '../../src/image/platform.ts';
import { openLayout } from '../../src/layout/layout.ts';
import type { Action, Addresses } from '../subjects/action.ts';
import { PLATFORMS, REPOSITORY } from '../world/builder.ts';

/** One image a platform, as a leg has it. */
export interface LegImage {
  readonly platform: string;
  readonly architecture: string;
  /** The OCI layout in which it lies. */
  readonly layout: string;
  readonly digest: string;
}

/** Where legs land, and through which run they are handed over. */
export interface Run {
  readonly regions: readonly string[];
  readonly addresses: Addresses;
  readonly artifacts: ArtifactService;
  readonly id: string;
}

/** Makes a small image for each platform: what a stitch does does not depend on their size. */
export async function writeLegImages(dir: string): Promise<LegImage[]> {
  return Promise.all(
    PLATFORMS.split(',').map(async (platform) => {
      const { architecture } = parsePlatform(platform);
      const layout = join(dir, `leg-${architecture}`);
      await writeLayout(layout, parsePlatform(platform));
      return { platform, architecture, layout, digest: (await openLayout(layout)).root.digest };
    }),
  );
}

/** Lands the legs in every region, with their records, as build jobs do. */
export async function landLegs(action: Action, images: readonly LegImage[], run: Run): Promise<void> {
  await Promise.all(
    images.map(({ platform, layout }) =>
      action.run({
        inputs: {
          repository: REPOSITORY,
          regions: run.regions.join(),
          platforms: platform,
          'oci-layout': layout,
        },
        ...run.addresses,
        env: jobEnvironment(run, 'build'),
      }),
    ),
  );
}

/** Stitches the legs, and gives the seconds it took. The annotation makes an index that no region has. */
export async function stitch(action: Action, run: Run, tag: string): Promise<number> {
  const { seconds } = await action.run({
    inputs: {
      mode: 'stitch',
      repository: REPOSITORY,
      regions: run.regions.join(),
      tags: tag,
      annotations: `bench=${tag}`,
    },
    ...run.addresses,
    env: jobEnvironment(run, 'publish'),
  });
  return seconds;
}

function jobEnvironment({ artifacts, id }: Run, job: string): Environment {
  return {
    ACTIONS_RESULTS_URL: artifacts.url,
    ACTIONS_RUNTIME_TOKEN: artifacts.token(id, job),
    GITHUB_RUN_ID: id,
    GITHUB_JOB: job,
  };
}
