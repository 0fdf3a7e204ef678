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

const TARGET = 'AmazonEC2ContainerRegistry_V20150921.';

/** The operation of the JSON API that a request names, or nothing when it is no request to ECR's. */
export function operationOf({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  const target = headers['x-amz-target'];
  return typeof target === 'string' && target.startsWith(TARGET) ? target.slice(TARGET.length) : undefined;
}
