import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { run } from '../engines/process.ts';
import { BUILDERS, engines } from '../support/engines.ts';
import { readIndex } from '../support/image.ts';
import { describeRelease, type Release } from '../support/published.ts';
import { cloudFor } from '../support/suite.ts';
import { push, succeeded } from '../support/workflow.ts';

const ECS = fileURLToPath(new URL('../../../examples/ecs.yml', import.meta.url));
const EKS = fileURLToPath(new URL('../../../examples/eks.yml', import.meta.url));

describe('the ECS example, as it is, with a builder on the network of the host', () => {
  const released = releaseForEcs('101', BUILDERS.host, () => ECS);

  test('the builder pushed over loopback', () => {
    const { output } = released().run;
    expect(output).toMatch(/ pushes to this job at 127\.0\.0\.1$/m);
    expect(output).toMatch(/ pushing manifest for 127\.0\.0\.1:\d+\/[0-9a-f]{32}\/web:build@sha256:/);
  });

  describeRelease(released);
});

describe('the ECS example, as it is, with a builder in a container on the bridge', () => {
  const released = releaseForEcs('102', BUILDERS.bridge, () => ECS);

  test("the builder pushed over the bridge's gateway", () => {
    const { output } = released().run;
    expect(output).toContain('building with "bridge" instance using docker-container driver');
    expect(output).toMatch(/ pushes to this job at 172\.17\.0\.1$/m);
    expect(output).toMatch(/ pushing manifest for 172\.17\.0\.1:\d+\/[0-9a-f]{32}\/web:build@sha256:/);
  });

  describeRelease(released);
});

describe('the ECS example with "transport: layout" added to its build step', () => {
  const released = releaseForEcs('103', BUILDERS.host, exampleWithLayout);

  test('the builder pushed nothing', () => {
    const { output } = released().run;
    expect(output).toContain('The result is fetched as an OCI layout: input "transport" asks for it');
    expect(output).not.toContain('pushing manifest for');
  });

  describeRelease(released);
});

describe('the EKS example, as it is, where the repository is missing', () => {
  const released = releaseBefore('104', {
    builder: BUILDERS.bridge,
    workflow: () => EKS,
    ref: 'refs/heads/main',
    regions: ['eu-west-1', 'us-east-1'],
    existing: [],
    repository: 'team/api',
    tags: async () => [await headOf(engines().webContext)],
  });

  test('its annotations are on the index in every region', async () => {
    const { cloud, repository, tags } = released();
    for (const { host } of cloud.registries) {
      const { annotations } = await readIndex(`${host}/${repository}:${tags[0]}`, cloud.config);
      expect(annotations['org.opencontainers.image.revision']).toBe(tags[0]);
    }
  });

  describeRelease(released);
});

interface ReleaseOptions {
  readonly builder: string;
  readonly workflow: () => string;
  readonly ref: string;
  /** Those of the workflow. */
  readonly regions: string[];
  /** The repositories that are there before. */
  readonly existing: string[];
  readonly repository: string;
  readonly tags: () => Promise<string[]>;
}

function releaseForEcs(runId: string, builder: string, workflow: () => string): () => Release {
  return releaseBefore(runId, {
    builder,
    workflow,
    ref: 'refs/tags/v1.2.3',
    regions: ['us-east-1', 'eu-central-1', 'ap-southeast-2', 'sa-east-1'],
    existing: ['web'],
    repository: 'web',
    tags: async () => ['v1.2.3', 'latest'],
  });
}

/** Has the web image released before the tests of a suite. */
function releaseBefore(runId: string, options: ReleaseOptions): () => Release {
  const { builder, workflow, ref, repository } = options;
  const cloud = cloudFor(runId, options.regions, options.existing);
  let release: Release | undefined;
  beforeAll(async () => {
    const running = engines();
    const setting = { engines: running, cloud: cloud(), workspace: running.webContext, runId };
    const workflowRun = succeeded(await push(setting, { workflow: workflow(), builder, ref }));
    const tags = await options.tags();
    release = { engines: running, cloud: cloud(), run: workflowRun, repository, tags };
  });
  return () => {
    if (!release) throw new Error('there is no release');
    return release;
  };
}

function exampleWithLayout(): string {
  const dir = join(engines().dir, 'layout-example');
  mkdirSync(dir);
  const copy = join(dir, 'ecs.yml');
  const text = readFileSync(ECS, 'utf8');
  // The first step that names regions is the one that builds.
  const changed = text.replace(/^( +)regions: .*\n/m, '$&$1transport: layout\n');
  if (changed === text) throw new Error('the example has no step that names regions');
  writeFileSync(copy, changed);
  return copy;
}

async function headOf(workTree: string): Promise<string> {
  return (await run('git', ['-C', workTree, 'rev-parse', 'HEAD'])).trim();
}
