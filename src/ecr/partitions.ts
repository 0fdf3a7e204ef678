import { closest, distance } from 'fastest-levenshtein';

/** One of AWS's separate clouds, as far as its registries are concerned. */
interface Partition {
  /** As ARNs name it. */
  readonly id: string;
  /** The DNS suffix of its registries. */
  readonly suffix: string;
  /** The DNS suffix of those that answer over IPv6 too, where there are any. */
  readonly dualStackSuffix?: string;
  /** What the names of its regions begin with, where no other partition's do. */
  readonly prefix: string;
  readonly regions: readonly string[];
}

const COMMERCIAL: Partition = {
  id: 'aws',
  suffix: 'amazonaws.com',
  dualStackSuffix: 'on.aws',
  prefix: '',
  regions: [
    ...['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'ca-central-1', 'ca-west-1', 'mx-central-1'],
    ...['sa-east-1', 'sa-west-1'],
    ...['eu-west-1', 'eu-west-2', 'eu-west-3', 'eu-central-1', 'eu-central-2', 'eu-north-1', 'eu-south-1'],
    ...['eu-south-2', 'af-south-1', 'il-central-1', 'me-central-1', 'me-south-1', 'me-west-1'],
    ...['ap-east-1', 'ap-east-2', 'ap-south-1', 'ap-south-2'],
    ...['ap-northeast-1', 'ap-northeast-2', 'ap-northeast-3', 'ap-southeast-1', 'ap-southeast-2'],
    ...['ap-southeast-3', 'ap-southeast-4', 'ap-southeast-5', 'ap-southeast-6', 'ap-southeast-7'],
  ],
};

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html and the SDK's own list of partitions. */
const PARTITIONS: readonly Partition[] = [
  {
    id: 'aws-us-gov',
    suffix: 'amazonaws.com',
    dualStackSuffix: 'on.aws',
    prefix: 'us-gov-',
    regions: ['us-gov-east-1', 'us-gov-west-1'],
  },
  {
    id: 'aws-cn',
    suffix: 'amazonaws.com.cn',
    dualStackSuffix: 'on.amazonwebservices.com.cn',
    prefix: 'cn-',
    regions: ['cn-north-1', 'cn-northwest-1'],
  },
  { id: 'aws-eusc', suffix: 'amazonaws.eu', prefix: 'eusc-', regions: ['eusc-de-east-1'] },
  { id: 'aws-iso', suffix: 'c2s.ic.gov', prefix: 'us-iso-', regions: ['us-iso-east-1', 'us-iso-west-1'] },
  {
    id: 'aws-iso-b',
    suffix: 'sc2s.sgov.gov',
    prefix: 'us-isob-',
    regions: ['us-isob-east-1', 'us-isob-west-1'],
  },
  { id: 'aws-iso-e', suffix: 'cloud.adc-e.uk', prefix: 'eu-isoe-', regions: ['eu-isoe-west-1'] },
  {
    id: 'aws-iso-f',
    suffix: 'csp.hci.ic.gov',
    prefix: 'us-isof-',
    regions: ['us-isof-east-1', 'us-isof-south-1'],
  },
  // Last, for its prefix is everyone's.
  COMMERCIAL,
];

const REGIONS: readonly string[] = PARTITIONS.flatMap(({ regions }) => regions);

function partitionOf(region: string): Partition {
  return PARTITIONS.find(({ prefix }) => region.startsWith(prefix)) ?? COMMERCIAL;
}

/** The partition that a region belongs to, as ARNs name it: `aws`, `aws-cn` ... */
export function partitionId(region: string): string {
  return partitionOf(region).id;
}

/** Says what is wrong with a region's name and which is nearest, or nothing when the region is known. */
export function regionProblem(region: string): string | undefined {
  if (REGIONS.includes(region)) return undefined;
  const near = closest(region, REGIONS);
  const hint =
    distance(region, near) <= 4 ? `did you mean ${near}?` : 'write it as in us-east-1 or eu-central-1';
  const isNew = /^[a-z]{2,4}(-[a-z]+)?-(north|south|east|west|central)(east|west)?-\d$/.test(region);
  const whenNew = isNew
    ? `; if it is new, name its registry in "destinations": ACCOUNT.dkr.ecr.${region}.${partitionOf(region).suffix}`
    : '';
  return `there is no AWS region "${region}"; ${hint}${whenNew}`;
}

/** Which of a registry's addresses is meant. */
export interface Endpoints {
  /** The one whose cryptography is validated by FIPS 140. */
  readonly fips: boolean;
  /** The one that answers over IPv6 too. */
  readonly dualStack: boolean;
}

/** An account's private registry in a region. */
export interface RegistryAddress extends Endpoints {
  readonly account: string;
  readonly region: string;
}

/**
 * The host of an account's private registry in a region.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html and /ecr-requests.html for dual stack and FIPS
 */
export function registryHost({ account, region, fips, dualStack }: RegistryAddress): string {
  const { suffix, dualStackSuffix } = partitionOf(region);
  const service = fips ? 'ecr-fips' : 'ecr';
  return dualStack
    ? `${account}.dkr-${service}.${region}.${dualStackSuffix ?? suffix}`
    : `${account}.dkr.${service}.${region}.${suffix}`;
}

/** Says why a region has no such address, or nothing when it may have it. */
export function endpointsProblem(region: string, { dualStack }: Endpoints): string | undefined {
  const { dualStackSuffix, id } = partitionOf(region);
  if (!dualStack || dualStackSuffix) return undefined;
  return `${region} is in the partition ${id}, whose registries have no dual-stack addresses`;
}

const HOST =
  /^(?<account>\d{12})\.dkr(?<stack>[.-])ecr(?<fips>-fips)?\.(?<region>[a-z0-9]+(?:-[a-z0-9]+)+)\.[a-z0-9.-]+$/;

/**
 * Reads the host of a private registry, in whatever partition and region, a region that is new included.
 * @returns nothing when it is no host of ECR's
 */
export function parseRegistryHost(host: string): RegistryAddress | undefined {
  const parts = HOST.exec(host)?.groups;
  if (!parts?.account || !parts.region) return undefined;
  const address = {
    account: parts.account,
    region: parts.region,
    fips: parts.fips !== undefined,
    dualStack: parts.stack === '-',
  };
  // A domain that is not that of the region's partition would be another host than the one that is then spoken to.
  const isEcr = registryHost(address) === host && !endpointsProblem(address.region, address);
  return isEcr ? address : undefined;
}

/** The account in a registry's host, if it names one, whatever domain it is in. */
export function accountInHost(host: string): string | undefined {
  return HOST.exec(host.replace(/:\d+$/, ''))?.groups?.account;
}

/** The ARN by which policies name a repository. */
export function repositoryArn(account: string, region: string, repository: string): string {
  return `arn:${partitionId(region)}:ecr:${region}:${account}:repository/${repository}`;
}

const ROLE_ARN = /^arn:aws[a-z-]*:iam::(\d{12}):role\/[\w+=,.@/-]+$/;

/** The account of a role, or nothing when the text is no role's ARN. */
export function accountOfRole(arn: string): string | undefined {
  return ROLE_ARN.exec(arn)?.[1];
}
