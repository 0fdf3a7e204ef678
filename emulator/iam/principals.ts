import { createHash, randomBytes } from 'node:crypto';
import { partitionId } from '../../src/ecr/partitions.ts';
import { arn } from '../arn.ts';
import type { Policy } from './policy.ts';
import type { Role } from './roles.ts';

/** Whose an access key is. */
export interface PrincipalOptions {
  readonly account: string;
  /** The name of the account's user; without it, the key is the account's root's. */
  readonly name?: string;
  /** Without it, everything is allowed. */
  readonly policy?: Policy;
  /** The partition in which the key is good, such as `aws-cn`; without it, it is good in all of them. */
  readonly partition?: string;
}

/** Who makes a call. */
export interface Principal {
  readonly accessKey: string;
  readonly account: string;
  readonly service: 'iam' | 'sts';
  /** What its ARN ends with: `root`, `user/NAME`, or `assumed-role/ROLE/SESSION`. */
  readonly resource: string;
  readonly userId: string;
  /** The ARN of the role that it is a session of. */
  readonly role: string | undefined;
  readonly policy: Policy | undefined;
  readonly partition: string | undefined;
}

/** A principal's ARN, as one sees it who is called in a region. */
export function arnOfPrincipal(principal: Principal, region: string): string {
  return arn(principal.service, { account: principal.account, region }, principal.resource);
}

/** The temporary credentials of an assumed role. */
export interface Session {
  readonly principal: Principal;
  readonly secretKey: string;
  readonly token: string;
  /** Epoch milliseconds. */
  readonly expires: number;
}

/** What a signed request tells of its signer. */
export interface Credential {
  readonly accessKey: string;
  readonly token: string | undefined;
  readonly region: string;
}

/** All who can call: those that the emulator was started with, and the sessions that STS has opened since. */
export class Principals {
  readonly #known: ReadonlyMap<string, Principal> | undefined;
  readonly #sessions = new Map<string, Session>();
  readonly #anyone: string;
  readonly #now: () => number;

  /**
   * @param known the principal of each access key; without it, every key is the root's of the account `anyone`
   * @param now the clock, in epoch milliseconds
   */
  constructor(
    known: Readonly<Record<string, PrincipalOptions>> | undefined,
    { anyone, now }: { anyone: string; now: () => number },
  ) {
    this.#known =
      known && new Map(Object.entries(known).map(([key, options]) => [key, principalOf(key, options)]));
    this.#anyone = anyone;
    this.#now = now;
  }

  /** Who signed a request, or why nobody did who is known. The signature itself is not checked. */
  signer({ accessKey, token, region }: Credential): Principal | 'invalid' | 'expired' {
    const session = this.#sessions.get(accessKey);
    if (session?.token !== token) return 'invalid';
    const principal = this.#find(accessKey);
    if (!principal) return 'invalid';
    const { partition } = principal;
    if (partition !== undefined && partition !== partitionId(region)) return 'invalid';
    return session && session.expires <= this.#now() ? 'expired' : principal;
  }

  /**
   * Who an access key belongs to, be it that it has expired.
   * @throws Error when it is nobody's
   */
  of(accessKey: string): Principal {
    const principal = this.#find(accessKey);
    if (!principal) throw new Error(`the access key ${accessKey} is nobody's`);
    return principal;
  }

  #find(accessKey: string): Principal | undefined {
    const known = this.#sessions.get(accessKey)?.principal ?? this.#known?.get(accessKey);
    return known ?? (this.#known ? undefined : principalOf(accessKey, { account: this.#anyone }));
  }

  /**
   * Opens a session of a role.
   * @param duration how long it is good, in seconds
   */
  open({ arn: role, account, partition, name, policy }: Role, session: string, duration: number): Session {
    const accessKey = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`;
    const principal: Principal = {
      accessKey,
      account,
      partition,
      policy,
      role,
      service: 'sts',
      resource: `assumed-role/${name}/${session}`,
      userId: `${idOf('AROA', role)}:${session}`,
    };
    const opened = {
      principal,
      secretKey: randomBytes(30).toString('base64'),
      token: randomBytes(180).toString('base64'),
      // What is told of it has no fraction of a second.
      expires: Math.floor(this.#now() / 1_000 + duration) * 1_000,
    };
    this.#sessions.set(accessKey, opened);
    return opened;
  }
}

function principalOf(accessKey: string, { account, name, policy, partition }: PrincipalOptions): Principal {
  return {
    accessKey,
    account,
    policy,
    partition,
    service: 'iam',
    resource: name === undefined ? 'root' : `user/${name}`,
    userId: name === undefined ? account : idOf('AIDA', `${account}/${name}`),
    role: undefined,
  };
}

/** An id as IAM gives them out: a prefix that tells the kind, and 17 letters and digits. */
function idOf(prefix: string, whose: string): string {
  return prefix + createHash('sha256').update(whose).digest('hex').slice(0, 17).toUpperCase();
}
