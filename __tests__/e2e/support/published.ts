import { describe, expect, test } from '@jest/globals';
import type { WorkflowResult } from '../engines/act.ts';
import { digestByCrane, digestBySkopeo, pullByContainerd, runByDocker } from '../engines/readers.ts';
import { type Cloud, secretsOf } from './cloud.ts';
import type { Engines } from './engines.ts';
import { parseResults, readIndex } from './image.ts';
import { jobOf } from './workflow.ts';

/** A release of the web image that a workflow has made. */
export interface Release {
  readonly engines: Engines;
  readonly cloud: Cloud;
  readonly run: WorkflowResult;
  readonly repository: string;
  readonly tags: readonly string[];
}

/** What `uname -m` says on each platform. */
const MACHINES = { 'linux/amd64': 'x86_64', 'linux/arm64': 'aarch64' } as const;
const PLATFORMS = ['linux/amd64', 'linux/arm64'] as const;
const PUBLISH_JOB = 'Publish in all regions';

/**
 * What must be true of every release of the web image, in every region of its cloud and by everyone who pulls.
 * @param released gives the release, once the suite has made it
 */
export function describeRelease(released: () => Release): void {
  const everyTag = () => {
    const { cloud, repository, tags } = released();
    return cloud.registries.flatMap((registry) =>
      tags.map((tag) => ({ registry, reference: `${registry.host}/${repository}:${tag}` })),
    );
  };
  const published = () => jobOf(released().run, PUBLISH_JOB).outputs.digest ?? '';

  test('two build jobs ran side by side, and the one that publishes after both', () => {
    const { output } = released().run;
    const [amd64, arm64] = PLATFORMS.map((platform) => {
      const job = RegExp.escape(`/Build ${platform}`);
      const at = (text: string) => output.search(new RegExp(`${job}-\\d\\] .*${text}`));
      return { begun: at('Run Set up job'), ended: at('Job succeeded') };
    });
    if (!amd64 || !arm64) throw new Error('not two build jobs');
    expect(Math.min(amd64.begun, arm64.begun)).toBeGreaterThan(-1);
    expect(Math.max(amd64.begun, arm64.begun)).toBeLessThan(Math.min(amd64.ended, arm64.ended));
    const publish = output.indexOf(`/${PUBLISH_JOB}] `);
    expect(publish).toBeGreaterThan(Math.max(amd64.ended, arm64.ended));
  });

  test('crane and skopeo read the digest that the publish job gives, under every tag in every region', async () => {
    expect(published()).toMatch(/^sha256:[0-9a-f]{64}$/);
    for (const { reference } of everyTag()) {
      const { config } = released().cloud;
      expect([reference, await digestByCrane(reference, config)]).toEqual([reference, published()]);
      expect([reference, await digestBySkopeo(reference, config)]).toEqual([reference, published()]);
    }
  });

  test('the index has both platforms in every region, with the provenance of each', async () => {
    for (const { reference } of everyTag()) {
      const { images, attestations } = await readIndex(reference, released().cloud.config);
      expect(Object.keys(images)).toEqual([...PLATFORMS]);
      expect(attestations).toEqual({
        'linux/amd64': [expect.stringContaining('slsa.dev/provenance/')],
        'linux/arm64': [expect.stringContaining('slsa.dev/provenance/')],
      });
    }
  });

  describe.each(PLATFORMS)('%s', (platform) => {
    test('containerd pulls it from every region by the same digest', async () => {
      const { dockerd } = released().engines;
      for (const { reference, registry } of everyTag()) {
        const digest = await pullByContainerd(reference, platform, registry, dockerd);
        expect([reference, digest]).toEqual([reference, published()]);
      }
    });

    test('dockerd pulls it from every region, and its web server answers on that architecture', async () => {
      const { cloud, engines, repository, tags } = released();
      for (const { host } of cloud.registries) {
        const answer = await runByDocker(
          `${host}/${repository}:${tags[0]}`,
          platform,
          cloud.config,
          engines.dockerd,
        );
        const machine = MACHINES[platform];
        expect(answer).toEqual({ digest: published(), machine, builtOn: machine });
      }
    });
  });

  test("the publish job's summary and results have one row a region, with its state", () => {
    const { cloud, run, repository } = released();
    const { summary, outputs } = jobOf(run, PUBLISH_JOB);
    const regions = cloud.registries.map(({ region }) => region);
    const rows = summary
      .split('\n')
      .filter((line) => regions.some((region) => line.startsWith(`| ${region} `)));
    expect(rows).toHaveLength(regions.length);
    for (const [position, region] of regions.entries()) {
      expect(rows[position]).toMatch(
        new RegExp(`^\\| ${region} .*linux/amd64, linux/arm64 .*✅ published +\\|$`),
      );
    }
    expect(parseResults(outputs)).toEqual(
      cloud.registries.map(({ region, host }) => ({
        destination: region,
        image: `${host}/${repository}`,
        state: 'published',
        digest: published(),
        platforms: [...PLATFORMS],
        // The legs have landed all of it by digest; publishing moves no blob.
        sent: 0,
        reused: expect.any(Number),
      })),
    );
  });

  test('no secret is in the log', () => {
    const { cloud, run } = released();
    const secrets = secretsOf(cloud);
    expect(secrets.length).toBeGreaterThanOrEqual(3);
    expect(secrets.filter((secret) => run.output.includes(secret))).toEqual([]);
  });
}
