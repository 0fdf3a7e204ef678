import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Emulator, EmulatorOptions } from '../../emulator/emulator.ts';
import { startArtifactService } from '../../emulator/github/artifactService.ts';
import type { RecordedRequest } from '../../emulator/traffic.ts';
import { artifactLegs } from '../../src/github/legs.ts';
import { runBuild } from '../../src/modes/build.ts';
import type { Outcome, RunContext, Services } from '../../src/modes/services.ts';
import { runStitch } from '../../src/modes/stitch.ts';
import type { Leg } from '../../src/release/leg.ts';
import { read, type Values } from '../inputs/read.ts';
import { emulate, REGIONS, REPOSITORY } from '../support/emulated.ts';
import { atEnd } from '../support/ends.ts';
import { setEnvironment } from '../support/environment.ts';
import { makeFolder } from '../support/folder.ts';
import type { Graph } from '../support/images.ts';
import { writeLayout } from '../support/layout.ts';
import { servicesWith } from '../support/services.ts';
import { silenceOutput } from '../support/silence.ts';

/** The run that the stitch belongs to. */
const RUN = '7';
export const OTHER_REPOSITORY = 'team/other';

const TARGET: Values = { repository: REPOSITORY, regions: REGIONS.join() };
const openClient = async () => (await import('@actions/artifact')).default;

/** Jobs of a workflow run, with ECR and GitHub's artifacts on this machine. */
export interface FanIn {
  readonly emulator: Emulator;
  /** Runs a build job that publishes this graph as its leg, and gives the digest that it puts out. */
  build(built: Graph, inputs?: Values, run?: Partial<RunContext>): Promise<string>;
  /** The same, and gives all that came of it. */
  buildOutcome(built: Graph, inputs?: Values, run?: Partial<RunContext>): Promise<Outcome>;
  /** Runs the stitch. */
  stitch(inputs?: Values, run?: Partial<RunContext>): Promise<Outcome>;
  /** Leaves an artifact in the run as a build job does, with whatever text for a record. */
  leave(name: string, text: string): Promise<void>;
  /** The records that the run's jobs have left. */
  legs(): Promise<Leg[]>;
  /** The requests by which content, manifests and tags were written. */
  writes(): RecordedRequest[];
  /** What was said in the log. */
  readonly said: string[];
}

export async function startFanIn(options: Partial<EmulatorOptions> = {}): Promise<FanIn> {
  const emulator = await emulate({ repositories: [REPOSITORY, OTHER_REPOSITORY], ...options });
  const artifacts = await startArtifactService();
  atEnd(() => artifacts.close());
  silenceOutput();
  const said: string[] = [];
  const enter = async (run: Partial<RunContext>): Promise<Services> => {
    const { runId = RUN, job = 'build', runAttempt = 1 } = run;
    setEnvironment({
      ACTIONS_RESULTS_URL: artifacts.url,
      ACTIONS_RUNTIME_TOKEN: artifacts.token(runId, job, runAttempt),
    });
    const services = await servicesWith({ run: { ...run, runId } });
    const info = (line: string) => void said.push(line);
    return {
      ...services,
      legs: artifactLegs(openClient, await makeFolder()),
      log: { ...services.log, info },
    };
  };
  const build: FanIn['buildOutcome'] = async (built, inputs = {}, run = {}) => {
    const layout = await makeFolder();
    await writeLayout(layout, built);
    const parsed = await read({ ...TARGET, 'oci-layout': layout, ...inputs });
    if (parsed.mode !== 'build') throw new Error(`this is ${parsed.mode}`);
    return runBuild(parsed, await enter(run));
  };
  return {
    emulator,
    said,
    build: async (...job) => (await build(...job)).digest,
    buildOutcome: build,
    async stitch(inputs = {}, run = {}) {
      const parsed = await read({ ...TARGET, mode: 'stitch', tags: 'v1', ...inputs });
      if (parsed.mode !== 'stitch') throw new Error(`this is ${parsed.mode}`);
      return runStitch(parsed, await enter({ job: 'stitch', ...run }));
    },
    async leave(name, text) {
      await enter({});
      const dir = await makeFolder();
      await writeFile(join(dir, 'leg.json'), text);
      await (await openClient()).uploadArtifact(name, [join(dir, 'leg.json')], dir);
    },
    legs: async () => (await enter({ job: 'stitch' })).legs.list(),
    writes: () =>
      emulator.requests.filter(
        ({ method, path }) => path.startsWith('/v2/') && !['GET', 'HEAD'].includes(method),
      ),
  };
}
