import { Agent } from 'node:http';
import type { Emulator } from '../../emulator/emulator.ts';
import { GITHUB_ISSUER, type RoleOptions } from '../../emulator/iam/roles.ts';
import { createEcrApi } from '../../src/ecr/api.ts';
import { RoleCredentials } from '../../src/ecr/credentials.ts';
import type { Role } from '../../src/ecr/places.ts';
import { createPublicApi } from '../../src/ecr/publicApi.ts';
import { type RequestHandling, requestHandling } from '../../src/ecr/requests.ts';
import type { Services } from '../../src/modes/services.ts';
import { OTHER, PUBLIC } from './release.ts';

const AUDIENCE = 'sts.amazonaws.com';
const SUBJECT = 'repo:octo-org/octo-repo:ref:refs/heads/main';

/** The first role trusts a job of GitHub's, each other one the role before it. */
export function rolesOf(arns: readonly string[]): Record<string, RoleOptions> {
  const trustOf = (position: number): RoleOptions['trust'] =>
    position === 0
      ? [{ audience: AUDIENCE, subject: SUBJECT }]
      : [{ principals: arns.slice(position - 1, position) }];
  return Object.fromEntries(arns.map((arn, position) => [arn, { trust: trustOf(position) }]));
}

/** GitHub's token for a job, which is good for five minutes; nobody looks at its signature. */
function oidcToken(audience: string): string {
  const iat = Math.floor(Date.now() / 1_000);
  const claims = { iss: GITHUB_ISSUER, aud: audience, sub: SUBJECT, iat, exp: iat + 300 };
  return [{ alg: 'RS256' }, claims, 'signature']
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
}

/** Leads calls to one region's port, wherever they are meant for. */
class RegionAgent extends Agent {
  readonly #host: string;
  readonly #port: number;

  constructor(url: string) {
    super({ keepAlive: true });
    const { hostname, port } = new URL(url);
    this.#host = hostname;
    this.#port = Number(port);
  }

  override createConnection(
    ...[options, callback]: Parameters<Agent['createConnection']>
  ): ReturnType<Agent['createConnection']> {
    return super.createConnection({ ...options, host: this.#host, port: this.#port }, callback);
  }
}

/**
 * ECR's APIs and STS, each led to the port of its region.
 * @param roles those that are assumed, of which the first comes before everything else
 * @param wait how long an answer is waited for, in milliseconds
 */
export function apisOf(
  emulator: Emulator,
  roles: readonly string[],
  wait: number,
): Pick<Services, 'createApi' | 'createPublicApi'> & { close(): void } {
  const agents: Agent[] = [];
  const requestsTo = (region: string): RequestHandling => {
    const agent = new RegionAgent(emulator.url(region));
    agents.push(agent);
    return { ...requestHandling({}, { connect: wait, answer: wait }), httpAgent: agent };
  };
  const assumed = new RoleCredentials({
    role: roles[0] === undefined ? undefined : { arn: roles[0] },
    sessionName: 'test',
    duration: undefined,
    audience: AUDIENCE,
    oidcToken: async (audience) => oidcToken(audience),
    userAgent: 'test',
    requests: requestsTo(OTHER),
    mask: () => undefined,
  });
  const keys = async () => ({ accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' });
  const optionsFor = (role: Role | undefined, region: string) => ({
    userAgent: 'test',
    credentials: assumed.for(role, region) ?? keys,
  });
  return {
    createApi: (access) =>
      createEcrApi({
        ...access,
        ...optionsFor(access.role, access.region),
        requests: requestsTo(access.region),
      }),
    createPublicApi: (role) => createPublicApi({ ...optionsFor(role, OTHER), requests: requestsTo(PUBLIC) }),
    close() {
      for (const agent of agents) agent.destroy();
    },
  };
}
