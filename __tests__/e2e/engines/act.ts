import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Environment, run, startDaemon } from './process.ts';
import { tool } from './tools.ts';

export interface WorkflowRun {
  /** The workflow's file, anywhere. */
  workflow: string;
  /** The repository that the workflow is for: what actions/checkout gives. A git work tree. */
  workspace: string;
  /** Holds act's own state, and the jobs' folders while they run. */
  dir: string;
  /** The name of the event, `push` for instance, and what GITHUB_EVENT_PATH holds. */
  event: string;
  payload?: Record<string, unknown>;
  /**
   * Every step's environment, PATH and HOME included. The stand-ins read E2E_BUILDER, the name of a
   * builder, and E2E_AWS_ACCESS_KEY_ID, E2E_AWS_SECRET_ACCESS_KEY and, if they are there,
   * E2E_AWS_SESSION_TOKEN, E2E_AWS_ACCOUNT_ID and E2E_AWS_ROLE.
   */
  env: Environment;
  secrets?: Record<string, string>;
  /** What the repository's settings hold as variables, for `vars`. */
  variables?: Record<string, string>;
  /**
   * `owner/name@ref` to the folder that answers it, besides those in stubs/. The stand-in for actions/checkout reads
   * E2E_REPOSITORIES, a folder of git repositories by `owner/name`, and E2E_SOURCE, the workspace.
   */
  localRepositories: Record<string, string>;
  /** The folder of the `node` that runs JavaScript actions. */
  nodeDir: string;
  /** Gets the readable log; the same with `.jsonl` added gets act's own. */
  logFile: string;
  timeoutMs?: number;
}

export interface JobRun {
  /** As act numbers them: `release/build-1`. */
  name: string;
  result: string;
  /** The step summaries, in the order in which they were written. */
  summary: string;
  /** What steps wrote to GITHUB_OUTPUT; of two steps with the same output, the later one. */
  outputs: Record<string, string>;
}

export interface WorkflowResult {
  code: number;
  /** One line of log a line, after the job's name in brackets. */
  output: string;
  jobs: JobRun[];
}

type Entry = Map<string, unknown>;

const stubs = fileURLToPath(new URL('../stubs/', import.meta.url));
const runners = ['ubuntu-latest', 'ubuntu-24.04', 'ubuntu-24.04-arm', 'ubuntu-22.04', 'ubuntu-22.04-arm'];

/**
 * Runs a workflow with act, its jobs side by side on this machine and without containers. No action
 * is fetched: every one that the workflow uses is answered from `localRepositories` or stubs/, and
 * an actions/checkout that says neither a repository nor a ref by act itself, with a copy of what
 * git does not ignore in the workspace.
 */
export async function runWorkflow(options: WorkflowRun): Promise<WorkflowResult> {
  const { workflow, workspace, dir, event, env, logFile, timeoutMs = 600_000 } = options;
  mkdirSync(dir, { recursive: true });
  mkdirSync(dirname(logFile), { recursive: true });
  const payload = join(dir, 'event.json');
  writeFileSync(payload, JSON.stringify(options.payload ?? {}));
  const repositories = { ...stubsFor(workflow, options.localRepositories), ...options.localRepositories };
  const path = `${options.nodeDir}:${env.PATH ?? ''}`;
  const act = startDaemon(
    tool('act'),
    [
      ...[event, '--json', '--workflows', workflow, '--directory', workspace, '--eventpath', payload],
      ...['--no-cache-server', '--pull=false', '--action-offline-mode'],
      ...runners.flatMap((runner) => ['--platform', `${runner}=-self-hosted`]),
      ...flags('--local-repository', repositories),
      // act's steps have a terminal, in which many programs colour what they print.
      ...flags('--env', { NO_COLOR: '1', ...env, PATH: path }),
      ...flags('--secret', options.secrets ?? {}),
      ...flags('--var', options.variables ?? {}),
    ],
    {
      logFile: `${logFile}.jsonl`,
      // In a folder of its own, and without the rest of our environment, it finds no settings.
      cwd: dir,
      env: {
        PATH: path,
        HOME: dir,
        XDG_CACHE_HOME: join(dir, 'cache'),
        XDG_CONFIG_HOME: join(dir, 'config'),
      },
    },
  );
  const waiting = new AbortController();
  const late = sleep(timeoutMs, true, { signal: waiting.signal }).then(
    () => act.stop(),
    () => undefined,
  );
  const code = await act.ended;
  waiting.abort();
  await late;
  const entries = readEntries(`${logFile}.jsonl`);
  const output = entries.map(readable).join('\n');
  writeFileSync(logFile, `${output}\n`);
  return { code, output, jobs: jobsOf(entries) };
}

/** Makes a folder a git repository with all of its files in one commit, as act wants its workspace. */
export async function commitAll(dir: string): Promise<void> {
  const author = ['-c', 'user.name=e2e', '-c', 'user.email=e2e@example.invalid'];
  await run('git', ['init', '--quiet', '--initial-branch', 'main', dir]);
  await run('git', ['-C', dir, 'add', '--all']);
  await run('git', ['-C', dir, ...author, 'commit', '--quiet', '--message', 'All of it']);
}

/** The stand-ins in stubs/ for the actions that a workflow uses, and that those use which it calls. */
function stubsFor(workflow: string, given: Record<string, string>): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, action = '', ref = ''] of readFileSync(workflow, 'utf8').matchAll(
    /^[\s-]*"?uses"?:\s*["']?([^\s@"']+\/[^\s@"']+)@([^\s"']+)/gm,
  )) {
    const [repository = '', file] = action.split(/\/(?=\.github\/workflows\/)/);
    const uses = `${repository}@${ref}`;
    if (file !== undefined && given[uses] !== undefined) {
      Object.assign(found, stubsFor(join(given[uses], file), given));
    }
    if (uses in given) continue;
    const stub = join(stubs, repository);
    if (!existsSync(stub)) throw new Error(`${workflow} uses ${uses}, which nothing here answers`);
    found[uses] = stub;
  }
  return found;
}

function flags(name: string, values: Record<string, string>): string[] {
  return Object.entries(values).flatMap(([key, value]) => [name, `${key}=${value}`]);
}

function readEntries(file: string): Entry[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      // What act prints before it logs, its last error for instance, is plain text.
      const value: unknown = line.startsWith('{') ? JSON.parse(line) : { msg: line };
      return new Map<string, unknown>(Object.entries(value ?? {}));
    });
}

function text(entry: Entry, name: string): string {
  const value = entry.get(name);
  return typeof value === 'string' ? value : '';
}

function readable(entry: Entry): string {
  const job = text(entry, 'job').trim();
  const message = text(entry, 'msg').trimEnd();
  return job === '' ? message : `[${job}] ${message}`;
}

function jobsOf(entries: Entry[]): JobRun[] {
  const jobs = new Map<string, JobRun>();
  for (const entry of entries) {
    const name = text(entry, 'job').trim();
    if (name === '') continue;
    const job = jobs.get(name) ?? { name, result: '', summary: '', outputs: {} };
    jobs.set(name, job);
    if (entry.has('jobResult')) job.result = text(entry, 'jobResult');
    if (entry.get('command') === 'summary') job.summary += text(entry, 'content');
    if (entry.get('command') === 'set-output') job.outputs[text(entry, 'name')] = text(entry, 'arg');
  }
  return [...jobs.values()];
}
