import type { CommandResult, Docker, Watch } from '../../src/buildx/docker.ts';

/** What `docker buildx inspect` prints of the builder that setup-buildx-action makes. */
export const CONTAINER_BUILDER = `Name:          builder-8a6f0e7c
Driver:        docker-container
Last Activity: 2026-11-20 09:14:02 +0000 UTC

Nodes:
Name:                  builder-8a6f0e7c0
Endpoint:              unix:///var/run/docker.sock
Status:                running
BuildKit daemon flags: --allow-insecure-entitlement security.insecure
BuildKit version:      v0.31.0
Platforms:             linux/amd64, linux/amd64/v2, linux/386
Labels:
 org.mobyproject.buildkit.worker.executor:         oci
 org.mobyproject.buildkit.worker.hostname:         a1b2c3
GC Policy rule#0:
 All:            false
 Keep Duration:  48h0m0s
`;

/** Of the one that comes with docker. */
export const DOCKER_BUILDER = `Name:          default
Driver:        docker
Last Activity: 2026-11-20 09:14:02 +0000 UTC

Nodes:
Name:             default
Endpoint:         default
Status:           running
BuildKit version: v0.31.0
Platforms:        linux/amd64, linux/amd64/v2
`;

/** Of a BuildKit that listens somewhere. */
export function remoteBuilder(endpoint: string): string {
  return `Name:          far
Driver:        remote

Nodes:
Name:             far0
Endpoint:         ${endpoint}
Status:           running
BuildKit version: v0.31.0
`;
}

/** Of one node a platform. */
export const TWO_NODES = `Name:   farm
Driver: docker-container

Nodes:
Name:      farm0
Endpoint:  ssh://amd64
Status:    running

Name:      farm1
Endpoint:  ssh://arm64
Status:    running
`;

export const OK: CommandResult = { code: 0, stdout: '', stderr: '' };

export interface FakeDocker extends Docker {
  readonly commands: readonly (readonly string[])[];
}

/** What a command does: it may tell the lines of its log, and ends when the signal says so. */
export type Work = (args: readonly string[], watch: Watch) => Promise<CommandResult>;

/** Nobody reads the lines, and nobody ends the command. */
const UNWATCHED: Watch = { line() {}, signal: new AbortController().signal };

/** A docker whose answers are given by the first words of the command; what is not given fails. */
export function dockerWith(answers: Readonly<Record<string, Partial<CommandResult> | Work>>): FakeDocker {
  const commands: (readonly string[])[] = [];
  const run = async (args: readonly string[], watch = UNWATCHED): Promise<CommandResult> => {
    commands.push(args);
    const command = args.join(' ');
    const [, answer] = Object.entries(answers).find(([words]) => command.startsWith(words)) ?? [];
    if (answer === undefined) return { code: 1, stdout: '', stderr: `unknown: ${command}` };
    return typeof answer === 'function' ? answer(args, watch) : { ...OK, ...answer };
  };
  return { commands, ask: (args) => run(args), show: run };
}

/** What `docker container inspect` prints of a container on this network. */
export function containerOn(network: string, gateway?: string): Partial<CommandResult> {
  const networks = { [network]: { Gateway: gateway ?? '', IPAddress: '172.17.0.2' } };
  return {
    stdout: JSON.stringify({ HostConfig: { NetworkMode: network }, NetworkSettings: { Networks: networks } }),
  };
}
