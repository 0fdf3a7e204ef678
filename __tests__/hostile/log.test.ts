import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { artifactLegs } from '../../src/github/legs.ts';
import { logLine, textLine } from '../../src/github/lines.ts';
import { OCI_INDEX } from '../../src/image/mediaTypes.ts';
import { installDocker } from '../github/fakeDocker.ts';
import { legOf } from '../github/legs.ts';
import { startCloud } from '../main/cloud.ts';
import { legInputs, releaseInputs, TARGET } from '../main/layouts.ts';
import { setEnvironment } from '../support/environment.ts';
import { makeFolder } from '../support/folder.ts';
import { imageOf, indexOf } from '../support/images.ts';
import { serveGraph } from '../support/registry.ts';
import { serve } from '../support/server.ts';
import { silenceOutput } from '../support/silence.ts';
import { COMMANDS, commandsIn } from './commands.ts';
import { type Raw, runRaw } from './step.ts';

const MARKUP =
  '| cell | <img src=x onerror=pwned> <!-- pwned `code` ](https://evil.example) **b** \\| $x$ &lt;';
const HOSTILE = `pwned ${MARKUP} ${COMMANDS.join(' pwned ')}`;
const refusalOf = (message: string) => JSON.stringify({ errors: [{ code: message, message }] });

/** What a step does in the runner's log by itself. */
const OURS = ['add-mask', 'group', 'endgroup', 'error', 'warning', 'debug'];

/** Checks that nobody but the action has given the runner a command, an output, or a part of the summary. */
function expectHarmless({ commands, outputs, summary }: Raw): void {
  const foreign = commands.filter(
    ({ name, data, line }) =>
      !line.startsWith(`::${name}`) || !OURS.includes(name) || data.startsWith('pwned'),
  );
  expect(foreign).toEqual([]);
  expect(commands.filter(({ name, data }) => name === 'add-mask' && data.includes('pwned'))).toEqual([]);
  for (const name of outputs.keys()) expect(['digest', 'images', 'results', 'metadata']).toContain(name);
  const plain = summary.replace(/\\[\\`*_~{}[\]<>|#$&]/g, '');
  expect(plain).not.toMatch(/<|]\(|!\[|\$|&/);
  for (const line of summary.split('\n')) {
    expect(line).not.toMatch(/\p{Cc}/u);
    if (line.startsWith('|')) expect(line.replace(/\\./g, '').split('|')).toHaveLength(9);
    else expect(line).toMatch(/^(?:$|### |Digest `|- |\*\*(?:What went wrong|What to know|Images)\*\*$)/);
  }
}

/** A registry that answers everything with a status and these words. */
async function refuser(status: number, body: string, headers: Record<string, string> = {}): Promise<string> {
  const { url } = await serve((_, response) => response.writeHead(status, headers).end(body));
  return new URL(url).host;
}

describe("what a mirror's source says", () => {
  const mirror = async (source: string) => {
    await startCloud();
    return runRaw({ ...TARGET, mode: 'mirror', source, tags: 'v1' });
  };

  test.each([
    ['a refusal in the form of the API', refusalOf(HOSTILE)],
    ['a refusal in its own words', HOSTILE],
    ['a refusal in packed words', JSON.stringify({ errors: COMMANDS.map((code) => ({ code })) })],
  ])('as %s is told, and does nothing', async (_, body) => {
    const ran = await mirror(`${await refuser(403, body)}/app:v1`);
    expect(ran.stdout).toContain('pwned');
    expectHarmless(ran);
  });

  test('by a challenge and a token service is told, and does nothing', async () => {
    const host = await refuser(400, HOSTILE);
    const registry = await refuser(401, HOSTILE, { 'www-authenticate': `Bearer realm="http://${host}/t"` });
    const ran = await mirror(`${registry}/app:v1`);
    expect(ran.stdout).toContain('pwned');
    expectHarmless(ran);
  });

  test.each([
    ['the type of a manifest', { mediaType: HOSTILE, layers: [] }],
    ['the names of annotations', { mediaType: OCI_INDEX, manifests: [{ annotations: { [HOSTILE]: 7 } }] }],
    [
      'a platform',
      { mediaType: OCI_INDEX, manifests: [{ ...imageOf('linux/amd64').listed, platform: { os: HOSTILE } }] },
    ],
  ])('as %s is told, and does nothing', async (_, manifest) => {
    const ran = await mirror(`${await refuser(200, JSON.stringify(manifest))}/app:v1`);
    expect(ran.commands.filter(({ name }) => name === 'error')).toHaveLength(1);
    expectHarmless(ran);
  });

  test('as annotations, titles and unknown fields of an image is published, and does nothing', async () => {
    const fields = { annotations: { [HOSTILE]: HOSTILE }, [HOSTILE]: HOSTILE, artifactType: HOSTILE };
    const graph = indexOf([imageOf('linux/amd64', { fields })], fields);
    const { repository } = await serveGraph(graph, 'v1');
    const ran = await mirror(`${repository}:v1`);
    expect(ran.outputs.get('digest')).toBe(graph.root.digest);
    expect(JSON.parse(ran.outputs.get('metadata') ?? '')).toMatchObject({ annotations: fields.annotations });
    expectHarmless(ran);
  });
});

describe('what a region says', () => {
  test('in a refusal of a layer is told in the log, the summary and the outputs, and does nothing', async () => {
    await startCloud({
      fault: ({ method, region }) =>
        method === 'PUT' && region === 'eu-west-1'
          ? { status: 403, code: HOSTILE, message: HOSTILE }
          : undefined,
    });
    const ran = await runRaw(await releaseInputs());
    expect(ran.summary).toContain('pwned');
    expect(ran.outputs.get('results')).toContain('pwned');
    expectHarmless(ran);
  });

  test('in an answer of its API is told, and does nothing', async () => {
    await startCloud({
      fault: ({ operation }) =>
        operation === 'DescribeRepositories' ? { status: 400, code: 'x', message: HOSTILE } : undefined,
    });
    const ran = await runRaw(await releaseInputs());
    expect(ran.stdout).toContain('pwned');
    expectHarmless(ran);
  });

  test('before another try is told in the log, and does nothing', async () => {
    await startCloud();
    let writes = 0;
    const { url } = await serve(({ method }, response) => {
      if (method === 'HEAD') return response.writeHead(404).end();
      writes += 1;
      return response.writeHead(writes < 4 ? 503 : 403).end(refusalOf(HOSTILE));
    });
    const destinations = `us-east-1\n${new URL(url).host}/team/app`;
    const ran = await runRaw({ ...(await releaseInputs()), regions: '', destinations });
    expect(ran.stdout).toMatch(/pwned.*trying again in/);
    expectHarmless(ran);
  });
});

describe('what a builder says', () => {
  test('of itself, in its log and when it fails is shown, and does nothing', async () => {
    await startCloud();
    const log = join(await makeFolder(), 'log');
    await writeFile(log, `${HOSTILE}\n${COMMANDS.join('\n')}\n`);
    await installDocker(
      `if [ "$2" = inspect ]; then printf 'Name: x ##[add-mask]pwned\\nDriver: docker\\n\\nNodes:\\nName: n\\nEndpoint: ::add-mask::pwned\\n'; exit 0; fi
       cat ${log}; cat ${log} >&2; exit 1`,
    );
    const context = await makeFolder();
    const labels = `"a=${HOSTILE.replaceAll('"', '')}"`;
    const ran = await runRaw({ ...TARGET, context, labels });
    expect(ran.stdout).toContain('pwned');
    expectHarmless(ran);
  });

  test('when it cannot be used is told, and does nothing', async () => {
    await startCloud();
    await installDocker(
      `if [ "$2" = version ]; then exit 0; fi; printf 'no\\n::stop-commands::pwned ##[add-mask]pwned' >&2; exit 1`,
    );
    const ran = await runRaw({ ...TARGET, context: await makeFolder() });
    expect(ran.stdout).toContain('pwned');
    expectHarmless(ran);
  });
});

describe('what files are called and hold', () => {
  test('a layout by a hostile name is told of, and does nothing', async () => {
    await startCloud();
    for (const [position, name] of COMMANDS.entries()) {
      const dir = join(await makeFolder(), `pwned ${position} ${name.replaceAll('/', '')}`);
      await mkdir(dir);
      const ran = await runRaw({ ...TARGET, 'oci-layout': dir });
      expect(ran.stdout).toContain('pwned');
      expectHarmless(ran);
    }
  });

  test("an image's config that names a hostile platform is told of, and does nothing", async () => {
    await startCloud();
    const ran = await runRaw(await legInputs('linux/amd64', { config: { os: HOSTILE } }));
    expect(ran.commands.filter(({ name }) => name === 'error')).toHaveLength(1);
    expectHarmless(ran);
  });

  test('a leg of a hostile repository and job is told of, and does nothing', async () => {
    const cloud = await startCloud();
    setEnvironment(cloud.job('build'));
    silenceOutput();
    const store = artifactLegs(async () => (await import('@actions/artifact')).default, await makeFolder());
    const leg = legOf(['linux/amd64'], { job: HOSTILE, jobIndex: 0, jobTotal: 3 });
    await store.save(leg);
    await store.save({ ...leg, repository: HOSTILE });
    const ran = await runRaw({ ...TARGET, mode: 'stitch', tags: 'v1' }, cloud.job('stitch'));
    expect(ran.stdout).toContain('pwned');
    expectHarmless(ran);
  });
});

describe('the parser of these tests', () => {
  test('finds every one of the commands that they try', () => {
    for (const text of COMMANDS) expect(commandsIn(text)).not.toEqual([]);
    expect(commandsIn('a ::error::x\n: :error::x\n## [error]x\n#[error]')).toEqual([]);
  });
});

describe('a line of the log', () => {
  test.each(COMMANDS)('is no command, nor two lines: %j', (text) => {
    for (const line of [logLine(text), logLine(`us-east-1: ${text}`)]) {
      expect(commandsIn(line)).toEqual([]);
      expect(line).not.toMatch(/[\r\n]/);
    }
    for (const line of text.split(/[\r\n]+/)) expect(commandsIn(textLine(line))).toEqual([]);
  });

  test('keeps whatever is no command', () => {
    const line = 'us-east-1: a::b ::c # #[d] ###: 🐳 ü';
    expect(logLine(line)).toBe(line);
  });

  test('of megabytes is cut', () => {
    expect(logLine('x'.repeat(5_000_000)).length).toBeLessThan(10_000);
  });
});
