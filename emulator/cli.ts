import { parseArgs } from 'node:util';
import { regionProblem } from '../src/ecr/partitions.ts';
import { DEFAULT_ACCOUNT, type Emulator } from './emulator.ts';
import { isEcrName, NAME_RULE } from './state/settings.ts';

/** A command line that cannot be followed; the message says what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const HELP = `ECR in a box: the JSON API and /v2/ of Amazon ECR, in as many regions as you name, as strict as ECR.

  npm run emulator -- --regions us-east-1,eu-west-1 [options]

  --regions LIST      the regions, separated by commas (default: us-east-1)
  --port PORT         the first region's port; each further region has the next one, and the object
                      storage behind them the one after (default: ports that the system picks)
  --account ID        an account, of 12 digits; may be given again, the first is the callers'
                      (default: ${DEFAULT_ACCOUNT})
  --repository NAME   a repository that is there from the start, in every region; may be given again
  --dir PATH          where the layers lie until the emulator ends (default: the system's temporary folder)
  --help              this text`;

/** What a command line asks for. */
export interface CliOptions {
  readonly regions: readonly string[];
  readonly accounts: readonly string[];
  readonly repositories: readonly string[];
  readonly port: number;
  readonly dir?: string;
}

/**
 * Reads the command line.
 * @throws UsageError
 */
export function parseCli(args: readonly string[]): CliOptions | 'help' {
  const values = parse(args);
  if (values.help) return 'help';
  const accounts = values.account ?? [DEFAULT_ACCOUNT];
  const repositories = values.repository ?? [];
  const regions = (values.regions ?? 'us-east-1').split(',').map((region) => region.trim());
  for (const region of regions) {
    const problem = regionProblem(region);
    if (problem) throw new UsageError(`--regions: ${problem}`);
  }
  if (new Set(regions).size < regions.length) throw new UsageError('--regions names a region twice');
  for (const account of accounts) {
    if (!/^\d{12}$/.test(account))
      throw new UsageError(`--account: "${account}" is not an account of 12 digits`);
  }
  for (const name of repositories) {
    if (!isEcrName(name)) throw new UsageError(`--repository: "${name}" is not a name; it ${NAME_RULE}`);
  }
  return {
    regions,
    accounts,
    repositories: [...new Set(repositories)],
    port: parsePort(values.port ?? '0', regions.length),
    ...(values.dir !== undefined && { dir: values.dir }),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        regions: { type: 'string' },
        port: { type: 'string' },
        account: { type: 'string', multiple: true },
        repository: { type: 'string', multiple: true },
        dir: { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function parsePort(text: string, regions: number): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port + regions <= 65_535) return port;
  throw new UsageError(
    `--port: "${text}" is not a port with room for ${regions} regions and their storage after it`,
  );
}

/** What a user who has just started the emulator needs to know, with lines to paste. */
export function welcome(emulator: Emulator, repositories: readonly string[]): string {
  const width = Math.max(...emulator.regions.map(({ region }) => region.length));
  const [first] = emulator.regions;
  const login = emulator.regions.map(
    ({ region, url }) =>
      `  aws ecr get-login-password --region ${region} | docker login --username AWS --password-stdin ${new URL(url).host}`,
  );
  return [
    'ECR in a box is running:',
    ...emulator.regions.map(({ region, url }) => `  ${region.padEnd(width)}  ${url}`),
    '',
    'For the aws CLI and the SDKs, which take any access key:',
    `  export AWS_ENDPOINT_URL_ECR=${emulator.endpoint}`,
    `  export AWS_ENDPOINT_URL_STS=${emulator.endpoint}`,
    '  export AWS_ACCESS_KEY_ID=emulator AWS_SECRET_ACCESS_KEY=emulator',
    '  unset AWS_SESSION_TOKEN',
    ...(repositories.length > 0
      ? [`The repositories ${repositories.join(', ')} are there.`]
      : [`  aws ecr create-repository --repository-name app --region ${first?.region ?? ''}`]),
    '',
    'For docker, crane and skopeo:',
    ...login,
    '',
    'Ctrl-C ends it and removes what was pushed.',
  ].join('\n');
}
