import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, startDaemon, waitUntil } from './process.ts';
import { tool } from './tools.ts';

/** A request as ministack's server has logged it. */
export interface LoggedRequest {
  method: string;
  host: string;
  /** With the query. */
  path: string;
  /** What a call of a JSON API names, after the API's own name; `-` elsewhere. */
  operation: string;
  status: number;
}

/**
 * An emulator of AWS that is not the project's: https://github.com/ministackorg/ministack. One process has every
 * account and region. A call of the API belongs to those of its signature, where an access key of twelve digits is
 * the account; a request to /v2/ to those that its Host names in ECR's manner.
 */
export interface Ministack {
  /** Of the APIs, for `AWS_ENDPOINT_URL_ECR`. */
  readonly endpoint: string;
  /** Of the registries, with `{account}` and `{region}`. */
  readonly registryEndpoint: string;
  /** Where an account's registry is in a region, as an image's reference begins. */
  host(account: string, region: string): string;
  /** Every request that has been answered since the start. */
  requests(): LoggedRequest[];
  /**
   * Runs a command to which the registries' names mean this machine, as they do by themselves where systemd resolves
   * names: it gets another /etc/hosts, which only it and its children see.
   * @throws with its output, if it fails
   */
  run(command: string, args: string[]): Promise<string>;
  stop(): Promise<void>;
}

/** What the log has of a request: nothing of it has a blank inside. */
const LOGGED = ['request:', '%(m)s', '%({host}i)s', '%(Uq)s', '%({x-amz-target}i)s', '%(s)s'].join(' ');
const REQUEST = /request: (\S+) (\S+) (\S+) (\S+) (\d{3})$/gm;

/**
 * Starts ministack on a port that the system picks, with nothing in it, and nothing kept when it ends.
 * @param dir a folder of its own
 * @param registries those whose names {@link Ministack.run} makes known
 */
export async function startMinistack(
  dir: string,
  logFile: string,
  registries: readonly { account: string; region: string }[],
): Promise<Ministack> {
  mkdirSync(dir, { recursive: true });
  const daemon = startDaemon(
    tool('hypercorn'),
    [
      ...['ministack.app:app', '--bind', '127.0.0.1:0'],
      // All in the one process, which has all the state and ends when it is told to.
      ...['--workers', '0'],
      ...['--access-logfile', '-', '--access-logformat', LOGGED],
    ],
    // Whatever it writes, it writes into these folders.
    { logFile, cwd: dir, env: { PATH: '/usr/bin:/bin', HOME: dir, TMPDIR: dir, SERVICES: 'ecr,sts' } },
  );
  const log = () => readFileSync(logFile, 'utf8');
  const port = () => /Running on http:\/\/127\.0\.0\.1:(\d+)/.exec(log())?.[1];
  try {
    await waitUntil('ministack answers', () => port() !== undefined, { daemon });
  } catch (error) {
    await daemon.stop();
    throw error;
  }
  const suffix = `localhost:${port()}`;
  const hosts = join(dir, 'hosts');
  const names = registries.map(({ account, region }) => `${account}.dkr.ecr.${region}.localhost`);
  writeFileSync(hosts, `127.0.0.1 localhost ${names.join(' ')}\n`);
  return {
    endpoint: `http://127.0.0.1:${port()}`,
    registryEndpoint: `http://{account}.dkr.ecr.{region}.${suffix}`,
    host: (account, region) => `${account}.dkr.ecr.${region}.${suffix}`,
    requests: () =>
      [...log().matchAll(REQUEST)].map(([, method = '', host = '', path = '', target = '', status]) => ({
        method,
        host,
        path,
        operation: target.replace(/^.*\./, ''),
        status: Number(status),
      })),
    run: (command, args) =>
      run('unshare', [
        ...['--mount', 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"'],
        ...[hosts, command, ...args],
      ]),
    stop: () => daemon.stop(),
  };
}
