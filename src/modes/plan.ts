import { formatPlatform, type Platform } from '../image/platform.ts';

/** What a job's `runs-on` takes: a label, several that a runner must have, or a group. */
export type Runner = string | readonly string[] | Readonly<Record<string, unknown>>;

export interface PlanOptions {
  readonly platforms: readonly Platform[];
  /** The runner of each platform, by its name in normal form; those of GitHub where it is not named. */
  readonly runners: ReadonlyMap<string, Runner>;
  /** The runner of platforms that are not named and that GitHub has no runner for. */
  readonly fallback: Runner | undefined;
  /** Whether one job builds all platforms that have the same runner. */
  readonly share: boolean;
}

/** One job of the matrix. */
export interface PlannedJob {
  /** What it builds, by comma. */
  readonly platform: string;
  readonly runner: Runner;
  /** What of that the runner cannot run itself, as docker/setup-qemu-action takes it; empty when it needs none. */
  readonly qemu: string;
}

const X86: Runner = 'ubuntu-24.04';
const ARM: Runner = 'ubuntu-24.04-arm';

/** GitHub's own runners, each with the platforms that it runs without emulation, in whatever variant. */
const NATIVE: ReadonlyMap<string, Runner> = new Map([
  ['linux/amd64', X86],
  ['linux/386', X86],
  ['linux/arm64', ARM],
]);

/**
 * Plans the build jobs: a runner that runs the platform itself where there is one, emulation where there is none.
 * @returns the matrix's `include`, in the order of the platforms
 */
export function planJobs({ platforms, runners, fallback, share }: PlanOptions): PlannedJob[] {
  const jobs = platforms.map((platform) => {
    const name = formatPlatform(platform);
    const named = runners.get(name);
    const native = NATIVE.get(`${platform.os}/${platform.architecture}`);
    const runner = named ?? native ?? fallback ?? X86;
    // Who names a platform's runner knows what it runs. QEMU runs programs for Linux alone.
    const emulated = named === undefined && native === undefined && platform.os === 'linux';
    return { platform: name, runner, qemu: emulated ? name : '' };
  });
  if (!share) return jobs;
  const byRunner = Map.groupBy(jobs, ({ runner }) => JSON.stringify(runner));
  return [...byRunner.values()].flatMap((together) => {
    const [first] = together;
    return first
      ? [{ ...first, platform: joined(together, 'platform'), qemu: joined(together, 'qemu') }]
      : [];
  });
}

function joined(jobs: readonly PlannedJob[], key: 'platform' | 'qemu'): string {
  return jobs
    .map((job) => job[key])
    .filter(Boolean)
    .join(',');
}
