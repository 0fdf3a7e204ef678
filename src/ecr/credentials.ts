import { Problems } from '../problems.ts';
import { BoundedHandler } from './boundedHandler.ts';
import { tellCalls } from './calls.ts';
import type { Role } from './places.ts';
import { ATTEMPTS, type RequestHandling } from './requests.ts';

/** Credentials are replaced when they have less than this left, in milliseconds. */
const MARGIN = 5 * 60 * 1000;
/**
 * The shortest time that STS gives any for, in milliseconds.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
const SHORTEST = 15 * 60 * 1000;
/**
 * How long a role can be assumed for from another one, in seconds.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
 */
const LONGEST_CHAINED = 3_600;

/** Has failures tell which call of STS it was. */
const TELLING = [
  {
    applyToStack: (middlewareStack: Parameters<typeof tellCalls>[0]['middlewareStack']) =>
      tellCalls({ middlewareStack }),
  },
];

/** Temporary credentials, as the SDK has them. */
interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** The credentials that are good now. */
export type CredentialSource = () => Promise<Credentials>;

export interface CredentialsOptions {
  /** Assumed before everything else. */
  readonly role: Role | undefined;
  readonly sessionName: string;
  /** How long a role is assumed for, in seconds; by default what STS does, an hour. */
  readonly duration: number | undefined;
  /** Whom GitHub's token is for. */
  readonly audience: string;
  /** Gives GitHub's OIDC token for an audience, where the job may have one (`id-token: write`). */
  readonly oidcToken: ((audience: string) => Promise<string>) | undefined;
  readonly userAgent: string;
  readonly requests: RequestHandling;
  /** Told of every secret before it is used. */
  mask(secret: string): void;
  /** The clock, in milliseconds as `Date.now` counts. */
  readonly now?: () => number;
}

/**
 * The credentials of roles, each assumed once for all who need it, and again before it ends.
 *
 * The first role is assumed with the credentials that the SDK's default chain finds; where it finds none, with GitHub's OIDC
 * token, so that the job needs no login step. Each further role is assumed with the one before it (role chaining).
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
 */
export class RoleCredentials {
  readonly #options: CredentialsOptions;
  readonly #sources = new Map<string, CredentialSource>();

  constructor(options: CredentialsOptions) {
    this.#options = options;
  }

  /**
   * The credentials for a destination.
   * @param role the destination's own, if it has one
   * @param region where STS is asked, if it has to be: temporary credentials are good in all regions of its partition
   * @returns nothing when no role is to be assumed: then the SDK's default chain has them
   */
  for(role: Role | undefined, region: string): CredentialSource | undefined {
    const base = this.#options.role;
    // Few roles may assume themselves, and none has to.
    const own = role?.arn === base?.arn ? undefined : role;
    const chain = [base, own].filter((each) => each !== undefined);
    return chain.length > 0 ? this.#assumed(chain, region) : undefined;
  }

  #assumed(chain: readonly Role[], region: string): CredentialSource {
    const key = JSON.stringify(chain);
    const known = this.#sources.get(key);
    if (known) return known;
    const before = chain.length > 1 ? this.#assumed(chain.slice(0, -1), region) : undefined;
    const role = chain.at(-1);
    const source = shared(
      () => this.#assume(role ?? { arn: '' }, before, region),
      this.#options.now ?? Date.now,
    );
    this.#sources.set(key, source);
    return source;
  }

  async #assume(role: Role, before: CredentialSource | undefined, region: string): Promise<Credentials> {
    const providers = await import('@aws-sdk/credential-providers');
    const { sessionName, userAgent, requests, mask } = this.#options;
    const duration = this.#duration(before !== undefined);
    const clientConfig = {
      region,
      customUserAgent: userAgent,
      maxAttempts: ATTEMPTS,
      requestHandler: new BoundedHandler(requests),
    };
    const master = before ?? (await this.#ambient(providers));
    const source = master
      ? providers.fromTemporaryCredentials({
          masterCredentials: master,
          clientConfig,
          clientPlugins: TELLING,
          params: {
            RoleArn: role.arn,
            RoleSessionName: sessionName,
            ...(duration !== undefined && { DurationSeconds: duration }),
            ...(role.externalId && { ExternalId: role.externalId }),
          },
        })
      : providers.fromWebToken({
          roleArn: role.arn,
          webIdentityToken: await this.#oidcToken(role),
          roleSessionName: sessionName,
          ...(duration !== undefined && { durationSeconds: duration }),
          clientConfig,
          clientPlugins: TELLING,
        });
    const credentials = await source().catch((error: Error) => {
      throw new RoleError(role, error);
    });
    mask(credentials.secretAccessKey);
    if (credentials.sessionToken) mask(credentials.sessionToken);
    return credentials;
  }

  /** A role that is assumed from another one is good for an hour at the most. */
  #duration(isChained: boolean): number | undefined {
    const { duration } = this.#options;
    return duration !== undefined && isChained ? Math.min(duration, LONGEST_CHAINED) : duration;
  }

  /** What the SDK's default chain finds: environment, profiles, containers, instances. */
  async #ambient(
    providers: typeof import('@aws-sdk/credential-providers'),
  ): Promise<CredentialSource | undefined> {
    const chain = providers.fromNodeProviderChain();
    try {
      await chain();
      return chain;
    } catch (error) {
      const none = error instanceof Error && error.name === 'CredentialsProviderError';
      if (none && this.#options.oidcToken) return undefined;
      throw error;
    }
  }

  async #oidcToken(role: Role): Promise<string> {
    const { audience, oidcToken } = this.#options;
    try {
      return (await oidcToken?.(audience)) ?? '';
    } catch (error) {
      throw new Problems([
        `${role.arn}: GitHub gave no OIDC token for the audience "${audience}": ${error instanceof Error ? error.message : error}`,
      ]);
    }
  }
}

/** A role that could not be assumed. */
export class RoleError extends Error {
  override readonly name: string;

  constructor({ arn }: Role, cause: Error) {
    super(`${arn} could not be assumed: ${cause.message}`, { cause });
    this.name = cause.name;
  }
}

/** One answer for all who ask while it is good, and another one in time. */
function shared(fetch: CredentialSource, now: () => number): CredentialSource {
  let held: Promise<{ credentials: Credentials; renewAt: number }> | undefined;
  const renew = () => {
    const asked = fetch().then((credentials) => ({ credentials, renewAt: renewalOf(credentials, now()) }));
    held = asked;
    asked.catch(() => {
      // A failure is told to those who wait for it, and the next one asks again.
      if (held === asked) held = undefined;
    });
    return asked;
  };
  return async () => {
    const current = held ?? renew();
    const { credentials, renewAt } = await current;
    if (now() < renewAt) return credentials;
    return (await (held === current ? renew() : (held ?? renew()))).credentials;
  };
}

function renewalOf({ expiration }: Credentials, now: number): number {
  const told = (expiration?.getTime() ?? Number.POSITIVE_INFINITY) - now;
  // What has just been given out is good: it is this machine's clock that is wrong.
  const left = told > 0 ? told : SHORTEST;
  return now + Math.max(left - MARGIN, left / 2);
}
