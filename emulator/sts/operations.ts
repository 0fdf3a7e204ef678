import { partitionId } from '../../src/ecr/partitions.ts';
import { arn } from '../arn.ts';
import { arnOfPrincipal, type Principal, type Principals, type Session } from '../iam/principals.ts';
import { partsOf, type Role, type Roles } from '../iam/roles.ts';
import { mayAssume, mayAssumeByToken } from '../iam/trust.ts';
import { StsError } from './errors.ts';
import { assumeByTokenSchema, assumeRoleSchema, parseParameters } from './parameters.ts';
import { readToken } from './webIdentity.ts';
import type { Fields } from './xml.ts';

/** How long a session lasts at the most that was opened by a session, in seconds. */
const LONGEST_CHAINED = 3_600;

/** One call to STS. */
export interface StsCall {
  readonly principals: Principals;
  readonly roles: Roles;
  readonly parameters: ReadonlyMap<string, string>;
  readonly region: string;
  /** The clock, in epoch milliseconds. */
  readonly now: () => number;
  /** Who signed it. @throws StsError when nobody did who is known */
  signer(): Principal;
  /** Is told of the role that the call needs to be allowed to assume. */
  needs(roleArn: string): void;
}

/** The operations that the emulator has. */
export const STS_OPERATIONS: ReadonlyMap<string, (call: StsCall) => Fields> = new Map([
  ['GetCallerIdentity', getCallerIdentity],
  ['AssumeRole', assumeRole],
  ['AssumeRoleWithWebIdentity', assumeRoleWithWebIdentity],
]);

/** Nobody needs a permission for this. https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
function getCallerIdentity({ region, signer }: StsCall): Fields {
  const principal = signer();
  return {
    Arn: arnOfPrincipal(principal, region),
    UserId: principal.userId,
    Account: principal.account,
  };
}

function assumeRole(call: StsCall): Fields {
  const { principals, roles, parameters, region } = call;
  const caller = call.signer();
  const input = parseParameters(assumeRoleSchema, parameters);
  assertNoSessionPolicy(parameters);
  assertArn(input.RoleArn);
  call.needs(input.RoleArn);
  const role = findHere(input.RoleArn, { roles, region });
  if (!role || !mayAssume(role, caller, { externalId: input.ExternalId, region })) {
    const user = arnOfPrincipal(caller, region);
    throw new StsError(
      403,
      'AccessDenied',
      `User: ${user} is not authorized to perform: sts:AssumeRole on resource: ${input.RoleArn}`,
    );
  }
  if (caller.role !== undefined && input.DurationSeconds > LONGEST_CHAINED) {
    throw new StsError(
      400,
      'ValidationError',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    );
  }
  assertDuration(role, input.DurationSeconds);
  return describeSession(principals.open(role, input.RoleSessionName, input.DurationSeconds), region);
}

function assumeRoleWithWebIdentity({ principals, roles, parameters, region, now, needs }: StsCall): Fields {
  const input = parseParameters(assumeByTokenSchema, parameters);
  assertNoSessionPolicy(parameters);
  assertArn(input.RoleArn);
  needs(input.RoleArn);
  const identity = readToken(input.WebIdentityToken, now());
  const { issuer, subject } = identity;
  const known = roles.audiences(input.RoleArn, issuer);
  if (!known) {
    const message = `No OpenIDConnect provider found in your account for ${issuer}`;
    throw new StsError(400, 'InvalidIdentityToken', message);
  }
  const audience = identity.audiences.find((each) => known.includes(each));
  if (audience === undefined) throw new StsError(400, 'InvalidIdentityToken', 'Incorrect token audience');
  const role = findHere(input.RoleArn, { roles, region });
  if (!role || !mayAssumeByToken(role, identity)) {
    throw new StsError(403, 'AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity');
  }
  assertDuration(role, input.DurationSeconds);
  const provider = `oidc-provider/${issuer.replace(/^https?:\/\//, '')}`;
  return {
    ...describeSession(principals.open(role, input.RoleSessionName, input.DurationSeconds), region),
    SubjectFromWebIdentityToken: subject,
    Audience: audience,
    Provider: arn('iam', { account: role.account, region }, provider),
  };
}

/** The role, if it is of the partition that was asked. */
function findHere(roleArn: string, { roles, region }: Pick<StsCall, 'roles' | 'region'>): Role | undefined {
  const role = roles.find(roleArn);
  return role?.partition === partitionId(region) ? role : undefined;
}

function describeSession({ principal, secretKey, token, expires }: Session, region: string): Fields {
  return {
    Credentials: {
      AccessKeyId: principal.accessKey,
      SecretAccessKey: secretKey,
      SessionToken: token,
      Expiration: new Date(expires).toISOString().replace('.000', ''),
    },
    AssumedRoleUser: { AssumedRoleId: principal.userId, Arn: arnOfPrincipal(principal, region) },
  };
}

function assertArn(roleArn: string): void {
  if (!partsOf(roleArn)) throw new StsError(400, 'ValidationError', `${roleArn} is invalid`);
}

function assertDuration({ maxSessionDuration }: Role, seconds: number): void {
  if (seconds <= maxSessionDuration) return;
  throw new StsError(
    400,
    'ValidationError',
    'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
  );
}

/** Better refused than left out: a session would be allowed more than it should. */
function assertNoSessionPolicy(parameters: ReadonlyMap<string, string>): void {
  const given = [...parameters.keys()].find((name) => /^Policy(?:Arns\..*)?$/.test(name));
  if (given !== undefined) {
    throw new StsError(400, 'ValidationError', `The emulator has no session policies, such as ${given}`);
  }
}
