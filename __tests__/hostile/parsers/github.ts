import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import * as z from 'zod/mini';
import { findRoute, parseBuilder } from '../../../src/buildx/builder.ts';
import { Forecast } from '../../../src/buildx/forecast.ts';
import { ContentError, safeJson } from '../../../src/distribution/errors.ts';
import { readContext } from '../../../src/github/context.ts';
import { dockerLogins } from '../../../src/github/dockerLogins.ts';
import { artifactLegs, artifactName } from '../../../src/github/legs.ts';
import { logLine, textLine } from '../../../src/github/lines.ts';
import { summaryOf } from '../../../src/github/report.ts';
import { isDigest } from '../../../src/image/digest.ts';
import { composeIndex } from '../../../src/image/index.ts';
import { describe, ManifestError, parseManifest } from '../../../src/image/manifest.ts';
import { parsePlatform } from '../../../src/image/platform.ts';
import { LayoutError, openLayout } from '../../../src/layout/layout.ts';
import { Problems } from '../../../src/problems.ts';
import { MissingContentError } from '../../../src/release/content.ts';
import { legSchema } from '../../../src/release/leg.ts';
import { assembleLegs } from '../../../src/release/legs/assemble.ts';
import { composeLeg, readTaggedLegs } from '../../../src/release/legs/tagged.ts';
import { legOf } from '../../github/legs.ts';
import { imageOf, indexOf } from '../../support/images.ts';
import { writeLayout } from '../../support/layout.ts';
import { MemoryDestination } from '../../support/memory.ts';
import { COMMANDS, commandsIn } from '../commands.ts';
import { bytesOf, jsonTexts, type Parser, parser, promise, texts } from './parser.ts';

const LEG = legOf(['linux/amd64', 'windows/amd64'], { jobIndex: 0, jobTotal: 2 });
const NAME = artifactName(LEG);
const image = imageOf('linux/amd64');
const graph = indexOf([image]);
const TAGGED = composeLeg({ ...LEG, images: [{ descriptor: image.listed, bytes: 1 }] });

/** Works in a folder that is gone after that. */
async function within<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'ecr-multiarch-fuzz-'));
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Lists the legs of a run whose one artifact has this file. */
function listed(bytes: Uint8Array) {
  return within((dir) =>
    artifactLegs(
      async () => ({
        uploadArtifact: async () => ({}),
        listArtifacts: async () => ({ artifacts: [{ id: 1, name: NAME, size: 100 }] }),
        downloadArtifact: async (_id, options) => {
          const path = options?.path ?? dir;
          await mkdir(path, { recursive: true });
          await writeFile(join(path, 'leg.json'), bytes);
          return { downloadPath: path };
        },
      }),
      dir,
    ).list(),
  );
}

const SUMMARY_LINE = /^(?:$|### |Digest `|- |\| |\*\*(?:What went wrong|What to know|Images)\*\*$)/;

export const GITHUB_PARSERS: readonly Parser[] = [
  parser('a line of the log', {
    input: fc.oneof(texts(...COMMANDS), texts('us-east-1: failed: no', '::error::x', '##[add-mask]x')),
    parse: (text) => {
      promise(commandsIn(logLine(text)).length === 0, 'it gives the runner no command');
      for (const line of text.split(/[\r\n]+/))
        promise(commandsIn(textLine(line)).length === 0, 'nor does any of its lines');
    },
  }),
  parser('what the summary shows', {
    input: fc.array(fc.tuple(texts('us-east-1'), texts('no | way'), texts('linux/amd64')), {
      minLength: 1,
      maxLength: 3,
    }),
    parse: (rows) => {
      const results = rows.map(([destination, error, platform]) => ({
        ...{ destination, image: 'a.example/app', state: 'failed' as const, digest: graph.root.digest },
        ...{ tags: {}, platforms: [platform], sent: 0, reused: 0, seconds: 1, error },
      }));
      const { digest } = graph.root;
      const summary = summaryOf({ digest, tags: ['v1'], results, metadata: '{}' }, 'Not published: app');
      const lines = summary.split(/[\r\n]/);
      promise(
        lines.every((line) => SUMMARY_LINE.test(line)),
        'each of its lines is ours',
      );
      const table = lines.filter((line) => line.startsWith('|'));
      promise(
        table.length === rows.length + 2 &&
          table.every((line) => line.replace(/\\./g, '').split('|').length === 9),
        'its table has a row for each, and each row its cells',
      );
    },
  }),
  parser('the payload of an event', {
    input: bytesOf(jsonTexts({ repository: { private: true, owner: { login: 'x' } }, number: 7 })),
    runs: 60,
    parse: (bytes) =>
      within(async (dir) => {
        const path = join(dir, 'event.json');
        await writeFile(path, bytes);
        const { privateRepository } = await readContext({ GITHUB_EVENT_PATH: path }, dir);
        promise(typeof privateRepository === 'boolean', 'it is private or not');
      }),
  }),
  parser('the environment of a run', {
    input: fc.dictionary(
      fc.constantFrom(
        'GITHUB_RUN_ID',
        'GITHUB_RUN_ATTEMPT',
        'GITHUB_SERVER_URL',
        'GITHUB_REPOSITORY',
        'GITHUB_JOB',
      ),
      texts('4711', '2', 'https://github.com', 'o/r'),
    ),
    parse: async (environment) => {
      const { runAttempt } = await readContext(environment, '/nowhere');
      promise(!Number.isNaN(runAttempt), 'its attempt is a number');
    },
  }),
  parser("docker's settings", {
    input: bytesOf(
      jsonTexts({
        auths: { 'ghcr.io': { auth: 'dTpw' }, 'https://index.docker.io/v1/': { identitytoken: 'x' } },
        credHelpers: { 'a.example': 'none-such' },
        credsStore: 'none-such',
      }),
    ),
    runs: 60,
    refuses: [Error],
    parse: (bytes) =>
      within(async (dir) => {
        await writeFile(join(dir, 'config.json'), bytes);
        const logins = dockerLogins({ DOCKER_CONFIG: dir });
        for (const registry of ['ghcr.io', 'registry-1.docker.io', 'toString', '__proto__']) {
          const login = await logins(registry);
          promise(login === undefined || typeof login === 'string', 'a login is a text');
        }
      }),
  }),
  parser("an artifact's leg", {
    input: bytesOf(jsonTexts(LEG)),
    runs: 60,
    refuses: [Problems],
    parse: async (bytes) => {
      const [leg] = await listed(bytes);
      promise(z.safeParse(legSchema, leg).success, 'it is a leg');
    },
  }),
  parser('the legs of a run', {
    input: fc.array(jsonTexts(LEG, legOf(['linux/arm64'], { runAttempt: 2 })), { maxLength: 3 }),
    refuses: [ManifestError],
    parse: (records) => {
      const legs = records.flatMap((text) => z.safeParse(legSchema, safeJson(text)).data ?? []);
      for (const leg of legs.map((each) => ({ ...each, runAttempt: 1 })))
        promise(/^[\w.-]+$/.test(artifactName(leg)), 'an artifact may be called by its name');
      const assembly = assembleLegs(legs, { repository: 'team/app', runId: '4711', platforms: [] });
      if (assembly.kind === 'refused') promise(assembly.problems.length > 0, 'it is told why');
      else composeIndex(assembly.children);
    },
  }),
  parser('a leg in the annotations of an index', {
    input: bytesOf(jsonTexts(JSON.parse(Buffer.from(TAGGED.bytes).toString()))),
    refuses: [ManifestError, MissingContentError],
    parse: async (bytes) => {
      const index = parseManifest(bytes);
      const region = new MemoryDestination('region', image);
      region.manifests.set(index.digest, index);
      region.tags.set('v1-amd64', index.digest);
      const wanted = [{ tag: 'v1-amd64', platform: parsePlatform('linux/amd64') }];
      const run = { repository: 'team/app', runId: '7' };
      const { legs, problems } = await readTaggedLegs(wanted, run, { all: [region] });
      promise(legs.length + problems.length === 1, 'it is read, or told of');
      for (const problem of problems) promise(!/\p{Cc}/u.test(problem), 'on one line');
    },
  }),
  parser('a layout', {
    input: fc.tuple(
      bytesOf(jsonTexts({ imageLayoutVersion: '1.0.0' })),
      bytesOf(
        jsonTexts({ schemaVersion: 2, manifests: [describe(graph.root)] }, { manifests: [image.listed] }),
      ),
    ),
    runs: 60,
    refuses: [LayoutError, ManifestError, ContentError],
    parse: ([marker, index]) =>
      within(async (dir) => {
        await writeLayout(dir, graph);
        await writeFile(join(dir, 'oci-layout'), marker);
        await writeFile(join(dir, 'index.json'), index);
        const { root } = await openLayout(dir);
        promise(isDigest(root.digest), 'it has a root');
      }),
  }),
];

export const BUILDX_PARSERS: readonly Parser[] = [
  parser("a line of a builder's log", {
    input: fc.array(texts(`#9 exporting manifest ${graph.root.digest} done`, '#9 pushing layers'), {
      maxLength: 5,
    }),
    parse: async (lines) => {
      const region = new MemoryDestination('region');
      const forecast = new Forecast([], region);
      for (const line of lines) forecast.read(line);
      promise(region.operations.length === 0, 'nothing is asked of anybody');
    },
  }),
  parser('a builder', {
    input: texts(
      'Name: default\nDriver: docker-container\n\nNodes:\nName: n0\nEndpoint: unix:///var/run/docker.sock\n',
      `Nodes:\n${'Name: x\n'.repeat(500)}`,
      `Nodes:${' \n'.repeat(2_000)}`,
    ),
    parse: (text) => {
      const { name, driver, nodes } = parseBuilder(text);
      for (const value of [name, driver, ...nodes.flatMap((node) => [node.name, node.endpoint])])
        promise(!/[\r\n]/.test(value), 'its fields are on one line each');
    },
  }),
  parser('the way to a builder', {
    input: texts('unix:///x', 'docker-container://y', 'tcp://10.0.0.1:1234', 'kube-pod://'),
    parse: async (endpoint) => {
      const docker = {
        ask: async () => ({ code: 1, stdout: '', stderr: '' }),
        show: async () => Promise.reject(new Error('not now')),
      };
      for (const driver of ['docker', 'docker-container', 'remote', 'cloud'])
        await findRoute(docker, { name: 'x', driver, nodes: [{ name: 'n', endpoint }] });
    },
  }),
];
