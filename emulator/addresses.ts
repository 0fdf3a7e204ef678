import type { IncomingMessage } from 'node:http';

const ECR_HOST = /^(?<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?<region>[a-z0-9-]+)\./;

/**
 * The registry that a request to /v2/ is meant for: the one that its Host names in ECR's manner, else the region
 * whose port it came to, where the account is its token's.
 */
export function addressed(
  { headers }: Pick<IncomingMessage, 'headers'>,
  portRegion: string,
): { account: string | undefined; region: string } {
  const parts = ECR_HOST.exec(headers.host ?? '')?.groups;
  return { account: parts?.account, region: parts?.region ?? portRegion };
}

/** Whether a request is one of the distribution API. */
export function isV2({ url = '' }: Pick<IncomingMessage, 'url'>): boolean {
  return /^\/v2(?:[/?]|$)/.test(url);
}

/** What of an AWS signature the emulator reads: whose it is, and what it is scoped to. */
export interface Scope {
  readonly accessKey: string;
  readonly region: string;
  readonly service: string;
}

/**
 * Reads the scope of a signature in the Authorization header, version 4. The signature itself is not checked.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 */
export function signatureScope(authorization: string | undefined): Scope | undefined {
  const credential = /^AWS4-(?:HMAC-SHA256|ECDSA-P256-SHA256) .*\bCredential=([^,\s]+)/.exec(
    authorization ?? '',
  )?.[1];
  const [accessKey, date, region, service, end] = credential?.split('/') ?? [];
  if (!accessKey || !/^\d{8}$/.test(date ?? '') || !region || !service || end !== 'aws4_request')
    return undefined;
  return { accessKey, region, service };
}

/** The token that goes with the access keys of temporary credentials. */
export function sessionTokenOf({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  const token = headers['x-amz-security-token'];
  return typeof token === 'string' && token !== '' ? token : undefined;
}

/** What the JSON APIs call themselves in a request's target. */
const TARGETS = [
  ['AmazonEC2ContainerRegistry_V20150921.', 'ecr'],
  ['SpencerFrontendService.', 'ecr-public'],
] as const;

/** The operation of a JSON API that a request names, or nothing when it is no request to one of ECR's. */
export function targetOf({
  headers,
}: Pick<IncomingMessage, 'headers'>): { service: 'ecr' | 'ecr-public'; operation: string } | undefined {
  const target = String(headers['x-amz-target'] ?? '');
  const [prefix, service] = TARGETS.find(([each]) => target.startsWith(each)) ?? [];
  return prefix && service && { service, operation: target.slice(prefix.length) };
}

/** Whether a request is one of the query protocol, which STS alone speaks here. */
export function isQueryCall({ headers, method }: Pick<IncomingMessage, 'headers' | 'method'>): boolean {
  // curl calls every body a form.
  if (headers['x-amz-target'] !== undefined || method !== 'POST') return false;
  return /^application\/x-www-form-urlencoded\b/.test(headers['content-type'] ?? '');
}
