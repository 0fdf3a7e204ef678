import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import * as z from 'zod/mini';

const FILE = '.github/workflows/multiarch.yml';
const ACTION = './.ecr-multiarch';
const CALLED = 'org/ecr-multiarch/.github/workflows/multiarch.yml@';

/** What a workflow needs to know that a step of the action does not. */
const ITS_OWN = [
  ...['runner', 'aws-region', 'ref', 'submodules', 'timeout-minutes', 'concurrency-group'],
  ...['action-repository', 'action-ref'],
];

const scalarSchema = z.union([z.string(), z.number(), z.boolean()]);
const permissionsSchema = z.optional(z.record(z.string(), z.string()));
const valuesSchema = z._default(z.record(z.string(), scalarSchema), {});
const jobSchema = z.looseObject({
  uses: z.optional(z.string()),
  with: valuesSchema,
  secrets: valuesSchema,
  permissions: permissionsSchema,
  concurrency: z.optional(z.record(z.string(), scalarSchema)),
  outputs: valuesSchema,
  steps: z._default(
    z.array(
      z.looseObject({
        name: z.optional(z.string()),
        uses: z.optional(z.string()),
        with: valuesSchema,
        env: valuesSchema,
        run: z.optional(z.string()),
      }),
    ),
    [],
  ),
});
const workflowSchema = z.looseObject({
  permissions: permissionsSchema,
  jobs: z.record(z.string(), jobSchema),
});
const reusableSchema = z.object({
  on: z.object({
    workflow_call: z.object({
      inputs: z.record(
        z.string(),
        z.object({
          description: z.string(),
          type: z.enum(['string', 'boolean', 'number']),
          required: z.optional(z.boolean()),
          default: z.optional(scalarSchema),
        }),
      ),
      secrets: z.record(z.string(), z.looseObject({ description: z.string() })),
      outputs: z.record(z.string(), z.object({ description: z.string(), value: z.string() })),
    }),
  }),
});
const actionSchema = z.object({
  inputs: z.record(z.string(), z.looseObject({ default: z.optional(z.string()) })),
  outputs: z.record(z.string(), z.unknown()),
});

type Workflow = z.infer<typeof workflowSchema>;

const text = readFileSync(FILE, 'utf8');
const workflow = readWorkflow(text);
const { inputs, secrets, outputs } = z.parse(reusableSchema, parse(text)).on.workflow_call;
const action = z.parse(actionSchema, parse(readFileSync('action.yml', 'utf8')));
const jobs = Object.entries(workflow.jobs);

function readWorkflow(yaml: string): Workflow {
  return z.parse(workflowSchema, parse(yaml));
}

/** The workflows of a folder's files, by their paths. */
async function workflowsIn(pattern: string): Promise<Map<string, Workflow>> {
  const files = await Array.fromAsync(glob(pattern));
  return new Map(files.map((file) => [file, readWorkflow(readFileSync(file, 'utf8'))]));
}

describe('the reusable workflow', () => {
  test('hands inputs to the action that it has', () => {
    const steps = jobs.flatMap(([, { steps }]) => steps.filter(({ uses }) => uses === ACTION));
    expect(steps.map((step) => step.with.mode ?? 'build')).toEqual(['plan', 'build', 'stitch']);
    const handed = steps.flatMap((step) => Object.keys(step.with));
    expect(handed.filter((name) => !(name in action.inputs))).toEqual([]);
  });

  test("has the action's inputs by their names, with their defaults, and a few of its own", () => {
    const shared = Object.keys(inputs).filter((name) => !ITS_OWN.includes(name));
    expect(shared.filter((name) => !(name in action.inputs))).toEqual([]);
    expect(ITS_OWN.filter((name) => name in action.inputs || !(name in inputs))).toEqual([]);
    // What is to be built, and where, a step may take from its matrix. Here there is none.
    const differing = shared.filter(
      (name) => !['platforms', 'regions'].includes(name) && !inputs[name]?.required,
    );
    const defaultsOf = (found: Record<string, { default?: string | number | boolean | undefined }>) =>
      differing.map((name) => [name, String(found[name]?.default ?? '')]);
    expect(defaultsOf(inputs)).toEqual(defaultsOf(action.inputs));
  });

  test('uses every input and every secret', () => {
    const used = new Set([...text.matchAll(/\b(?:inputs|secrets)\.[a-z-]+/g)].map(([name]) => name));
    const declared = [
      ...Object.keys(inputs).map((name) => `inputs.${name}`),
      ...Object.keys(secrets).map((name) => `secrets.${name}`),
    ];
    expect([...used].toSorted()).toEqual(declared.toSorted());
  });

  test("puts the action's outputs out", () => {
    for (const [name, { value }] of Object.entries(outputs)) {
      expect(value).toBe(`\${{ jobs.publish.outputs.${name} }}`);
      expect(workflow.jobs.publish?.outputs[name]).toBe(`\${{ steps.publish.outputs.${name} }}`);
      expect(Object.keys(action.outputs)).toContain(name);
    }
  });

  test('asks for no token for AWS, which a caller that pushes nothing need not grant', () => {
    expect(workflow.permissions).toBeUndefined();
    for (const [, { permissions, steps }] of jobs) {
      const callsAws = steps.some((step) => 'role-to-assume' in step.with);
      // What a job does not ask for it has from the caller.
      expect(permissions).toEqual(callsAws ? undefined : { contents: 'read' });
    }
  });

  test('leaves no token in a checkout, and checks the action out as itself, beside the source', () => {
    for (const [, { steps }] of jobs) {
      const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'));
      for (const checkout of checkouts) expect(checkout.with['persist-credentials']).toBe(false);
      const own = checkouts.filter((step) => step.with.path === ACTION.slice(2));
      expect(own).toHaveLength(1);
      expect(own[0]?.with.repository).toContain('|| job.workflow_repository ||');
      expect(own[0]?.with.ref).toContain('(job.workflow_sha ||');
      expect(checkouts.filter((step) => !own.includes(step)).map((step) => step.with.path)).toEqual(
        steps.some((step) => 'context' in step.with) ? ['source'] : [],
      );
    }
  });

  test('pins the actions of others to commits', () => {
    const used = jobs.flatMap(([, { steps }]) => steps.flatMap(({ uses }) => uses ?? []));
    expect(used.filter((name) => name !== ACTION && !/@[0-9a-f]{40}$/.test(name))).toEqual([]);
  });

  test('lets runs wait for each other where they publish, and drops none', () => {
    expect(jobs.filter(([, { concurrency }]) => concurrency).map(([id]) => id)).toEqual(['publish']);
    expect(workflow.jobs.publish?.concurrency).toEqual({
      group: expect.stringContaining('inputs.concurrency-group ||'),
      'cancel-in-progress': false,
      queue: 'max',
    });
  });
});

describe('the script that finds the folders among the build contexts', () => {
  /** What it gives for build contexts in a checkout that has the folder "shared". */
  const contextsFrom = (written: string): string => {
    const dir = mkdtempSync(join(tmpdir(), 'contexts-'));
    try {
      mkdirSync(join(dir, 'source/shared folder'), { recursive: true });
      writeFileSync(join(dir, 'output'), '');
      const script = workflow.jobs.build?.steps.find((step) => 'BUILD_CONTEXTS' in step.env)?.run ?? '';
      const env = { PATH: process.env.PATH, BUILD_CONTEXTS: written, GITHUB_OUTPUT: join(dir, 'output') };
      // As GitHub runs it.
      const options = ['--noprofile', '--norc', '-e', '-o', 'pipefail', '-c', script];
      const shell = spawnSync('bash', options, { cwd: dir, env });
      expect([shell.status, shell.stderr.toString()]).toEqual([0, '']);
      const [, end = '', value] =
        /^found<<(.+)\n([\s\S]*)\n\1\n$/.exec(readFileSync(join(dir, 'output'), 'utf8')) ?? [];
      expect(end.length).toBeGreaterThan(16);
      return value ?? '';
    } finally {
      rmSync(dir, { recursive: true });
    }
  };

  test('leads those to the checkout that are there, and leaves all others as they are', () => {
    const written = [
      'one=./shared folder',
      'two=shared folder',
      '',
      'three=missing',
      'four=docker-image://alpine:3',
      'five=https://example.com/team/app.git#main',
      'not a context',
      'six=/etc',
    ];
    const found = ['one=source/./shared folder', 'two=source/shared folder', ...written.slice(2)];
    expect(contextsFrom(written.join('\n'))).toBe(found.join('\n'));
  });

  test('runs nothing of what they say', () => {
    const hostile = '$(touch made)=`touch made`\nEOF\n"; touch made; "=x';
    expect(contextsFrom(hostile)).toBe(hostile);
  });
});

describe('all workflows and examples', () => {
  test('have no expression in a script, where its value would be run', async () => {
    const all = [...(await workflowsIn('.github/workflows/*.yml')), ...(await workflowsIn('examples/*.yml'))];
    const scripts = all.flatMap(([file, { jobs }]) =>
      Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => (run ? [{ file, run }] : []))),
    );
    expect(scripts.length).toBeGreaterThan(2);
    expect(scripts.filter(({ run }) => run.includes('${{'))).toEqual([]);
  });

  test('that call the reusable workflow give it what it has, and what it must be given', async () => {
    const blocks = [...readFileSync('README.md', 'utf8').matchAll(/```yaml\n([\s\S]*?)```/g)];
    const documented = blocks.map(([, block = '']) => block).filter((block) => block.includes(CALLED));
    const workflows = [...(await workflowsIn('examples/*.yml')).values(), ...documented.map(readWorkflow)];
    const calls = workflows.flatMap(({ jobs, permissions }) =>
      Object.values(jobs)
        .filter(({ uses }) => uses?.startsWith(CALLED))
        .map((job) => ({ ...job, permissions: job.permissions ?? permissions })),
    );
    expect(calls.length).toBeGreaterThanOrEqual(2);
    const required = Object.keys(inputs).filter((name) => inputs[name]?.required);
    for (const call of calls) {
      expect(Object.keys(call.with).filter((name) => !(name in inputs))).toEqual([]);
      expect(required.filter((name) => !(name in call.with))).toEqual([]);
      expect(Object.keys(call.secrets).filter((name) => !(name in secrets))).toEqual([]);
      const pushes = call.with.push !== false;
      expect('role-to-assume' in call.with).toBe(pushes);
      expect(call.permissions).toEqual({ contents: 'read', ...(pushes && { 'id-token': 'write' }) });
    }
  });
});
