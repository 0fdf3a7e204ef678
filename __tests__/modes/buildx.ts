import { writeFile } from 'node:fs/promises';
import { CONTAINER_BUILDER, type FakeDocker, OK } from '../buildx/docker.ts';
import { exportLog } from '../buildx/log.ts';
import { dockerFor, flagOf, pushedName } from '../buildx/run.ts';
import type { Graph } from '../support/images.ts';
import { push } from '../support/push.ts';

export interface TestBuildx {
  readonly docker: FakeDocker;
  /** How many blobs each build had to send. */
  readonly sent: readonly number[];
  /** The signals by which the builds may be ended. */
  readonly signals: readonly AbortSignal[];
}

/** A docker whose builder pushes this graph, and says so beforehand unless it is told to be `quiet`. */
export function buildxOf(built: Graph, { quiet = false } = {}): TestBuildx {
  const sent: number[] = [];
  const signals: AbortSignal[] = [];
  const docker = dockerFor(CONTAINER_BUILDER, async (args, { line, signal }) => {
    signals.push(signal);
    if (!quiet) for (const text of exportLog(built)) line(text);
    try {
      sent.push((await push(pushedName(args) ?? '', built)).length);
    } catch (error) {
      return { code: 1, stdout: '', stderr: String(error) };
    }
    await writeFile(flagOf(args, '--metadata-file'), '{"buildx.build.ref":"x"}');
    return OK;
  });
  return { docker, sent, signals };
}
