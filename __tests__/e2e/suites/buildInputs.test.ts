import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import * as z from 'zod/mini';
import type { WorkflowResult } from '../engines/act.ts';
import { readByCrane } from '../engines/readers.ts';
import { BUILDERS, engines } from '../support/engines.ts';
import { readIndex } from '../support/image.ts';
import { cloudFor, makeContext, SHELL_STAGE } from '../support/suite.ts';
import { jobOf, runJobs, succeeded } from '../support/workflow.ts';

const REGIONS = ['us-east-1', 'eu-west-1'];
const PUBLISHED = { repository: 'app', regions: REGIONS.join(), legs: 'none', builder: BUILDERS.host };

const configSchema = z.object({
  config: z.object({ Env: z.array(z.string()), Labels: z.record(z.string(), z.string()) }),
});
const manifestSchema = z.object({ annotations: z.record(z.string(), z.string()) });

describe('the everyday inputs of a build', () => {
  const cloud = cloudFor('201', REGIONS, ['app']);
  const SECRETS = { inline: 'swordfish-in-line', env: 'swordfish-in-env', file: 'swordfish-in-file' };
  let finished: WorkflowResult;

  beforeAll(async () => {
    // The last stage is broken: only a build of the right target succeeds.
    const dockerfile = [
      SHELL_STAGE,
      'FROM shell AS wanted',
      'ARG GREETING=nobody',
      'ARG SECRETS',
      'ENV GREETING=$GREETING',
      'RUN --mount=type=secret,id=inline --mount=type=secret,id=env --mount=type=secret,id=file \\',
      '  test "$(cd /run/secrets && cat inline env file | sha256sum)" = "$SECRETS  -" \\',
      '  && echo "printed: $(cat /run/secrets/inline)"',
      'FROM shell AS broken',
      'RUN exit 1',
    ].join('\n');
    const workspace = await makeContext('201', {
      'deploy/web.Dockerfile': dockerfile,
      'pass.txt': SECRETS.file,
    });
    const together = createHash('sha256').update(Object.values(SECRETS).join('')).digest('hex');
    const inputs = {
      ...PUBLISHED,
      tags: 'inputs',
      file: 'deploy/web.Dockerfile',
      target: 'wanted',
      'build-args': `GREETING=hello, world\nSECRETS=${together}`,
      secrets: `inline=${SECRETS.inline}`,
      'secret-envs': 'env=PASSWORD',
      'secret-files': 'file=pass.txt',
      labels: 'org.example.team=web\norg.example.words=two, words',
      annotations: 'org.example.kind=leg',
    };
    const setting = { engines: engines(), cloud: cloud(), workspace, runId: '201' };
    finished = succeeded(await runJobs(setting, { build: { inputs, env: { PASSWORD: SECRETS.env } } }));
  });

  test('the target, build arguments and labels are those that were asked for', async () => {
    for (const { host } of cloud().registries) {
      const text = await readByCrane('config', `${host}/app:inputs`, cloud().config);
      const { config } = z.parse(configSchema, JSON.parse(text));
      expect(config.Env).toContain('GREETING=hello, world');
      expect(config.Labels).toMatchObject({ 'org.example.team': 'web', 'org.example.words': 'two, words' });
    }
  });

  test("annotations are on the image's manifest", async () => {
    const reference = `${cloud().registries[0]?.host}/app`;
    const { images } = await readIndex(`${reference}:inputs`, cloud().config);
    const text = await readByCrane('manifest', `${reference}@${images['linux/amd64']}`, cloud().config);
    expect(z.parse(manifestSchema, JSON.parse(text)).annotations).toEqual({ 'org.example.kind': 'leg' });
  });

  test('all secrets reach the build, and none the log, even when the Dockerfile prints it', () => {
    // The RUN step has compared all three, or there were no run to look at.
    expect(finished.output).toContain('printed: ***');
    expect(Object.values(SECRETS).filter((secret) => finished.output.includes(secret))).toEqual([]);
  });
});

describe('a build with "provenance: false"', () => {
  const cloud = cloudFor('202', REGIONS, ['app']);

  test('publishes a single image, not an index', async () => {
    const workspace = await makeContext('202', { Dockerfile: SHELL_STAGE });
    const setting = { engines: engines(), cloud: cloud(), workspace, runId: '202' };
    const inputs = { ...PUBLISHED, tags: 'single', provenance: 'false', platforms: 'linux/arm64' };
    const finished = succeeded(await runJobs(setting, { build: { inputs } }));
    for (const { host } of cloud().registries) {
      const text = await readByCrane('manifest', `${host}/app:single`, cloud().config);
      const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
      expect(digest).toBe(jobOf(finished, 'build').outputs.digest);
      expect(JSON.parse(text)).toMatchObject({ mediaType: 'application/vnd.oci.image.manifest.v1+json' });
      const config = await readByCrane('config', `${host}/app:single`, cloud().config);
      expect(JSON.parse(config)).toMatchObject({ os: 'linux', architecture: 'arm64' });
    }
  });
});

describe('a build with "cache-to" and one with "cache-from"', () => {
  const cloud = cloudFor('203', REGIONS, ['app']);

  test('the second takes the steps of the first from the cache, on another builder', async () => {
    const dockerfile = `${SHELL_STAGE}\nRUN echo "made once" > /made`;
    const workspace = await makeContext('203', { Dockerfile: dockerfile });
    const setting = { engines: engines(), cloud: cloud(), workspace };
    const cache = join(engines().dir, '203-cache');
    const first = { ...PUBLISHED, tags: 'first', 'cache-to': `type=local,mode=max,dest=${cache}` };
    const second = {
      ...PUBLISHED,
      tags: 'second',
      builder: BUILDERS.bridge,
      'cache-from': `type=local,src=${cache}`,
    };
    // All lines of a step begin with its number, the last one says how it ended.
    const step = (end: string) =>
      new RegExp(`(#\\d+) .* RUN echo "made once".*(\\n.* \\1 .*)*\\n.* \\1 ${end}`);
    const made = succeeded(await runJobs({ ...setting, runId: '203' }, { build: { inputs: first } }));
    expect(made.output).toMatch(step('DONE'));
    const again = succeeded(await runJobs({ ...setting, runId: '204' }, { build: { inputs: second } }));
    expect(again.output).toContain('building with "bridge" instance');
    expect(again.output).toMatch(step('CACHED'));
  });
});
