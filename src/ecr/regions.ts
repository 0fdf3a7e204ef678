import { closest, distance } from 'fastest-levenshtein';

/** The DNS suffix of each partition's registries, and its regions. */
const PARTITIONS: readonly { suffix: string; regions: readonly string[] }[] = [
  {
    suffix: 'amazonaws.com',
    regions: [
      ...[
        'us-east-1',
        'us-east-2',
        'us-west-1',
        'us-west-2',
        'ca-central-1',
        'ca-west-1',
        'mx-central-1',
        'sa-east-1',
      ],
      ...[
        'eu-west-1',
        'eu-west-2',
        'eu-west-3',
        'eu-central-1',
        'eu-central-2',
        'eu-north-1',
        'eu-south-1',
        'eu-south-2',
      ],
      ...[
        'ap-east-1',
        'ap-east-2',
        'ap-south-1',
        'ap-south-2',
        'ap-northeast-1',
        'ap-northeast-2',
        'ap-northeast-3',
      ],
      ...[
        'ap-southeast-1',
        'ap-southeast-2',
        'ap-southeast-3',
        'ap-southeast-4',
        'ap-southeast-5',
        'ap-southeast-6',
      ],
      ...['ap-southeast-7', 'af-south-1', 'il-central-1', 'me-central-1', 'me-south-1'],
      ...['us-gov-east-1', 'us-gov-west-1'],
    ],
  },
  { suffix: 'amazonaws.com.cn', regions: ['cn-north-1', 'cn-northwest-1'] },
  { suffix: 'amazonaws.eu', regions: ['eusc-de-east-1'] },
  { suffix: 'c2s.ic.gov', regions: ['us-iso-east-1', 'us-iso-west-1'] },
  { suffix: 'sc2s.sgov.gov', regions: ['us-isob-east-1', 'us-isob-west-1'] },
  { suffix: 'cloud.adc-e.uk', regions: ['eu-isoe-west-1'] },
  { suffix: 'csp.hci.ic.gov', regions: ['us-isof-east-1', 'us-isof-south-1'] },
];

const SUFFIX_OF: ReadonlyMap<string, string> = new Map(
  PARTITIONS.flatMap(({ suffix, regions }) => regions.map((region) => [region, suffix])),
);

/** Says what is wrong with a region's name and which is nearest, or nothing when the region is known. */
export function regionProblem(region: string): string | undefined {
  if (SUFFIX_OF.has(region)) return undefined;
  const known = [...SUFFIX_OF.keys()];
  const near = closest(region, known);
  const hint =
    distance(region, near) <= 4 ? `did you mean ${near}?` : 'write it as in us-east-1 or eu-central-1';
  return `there is no AWS region "${region}"; ${hint}`;
}

/**
 * The host of an account's private registry in a region.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
 */
export function registryHost(account: string, region: string): string {
  return `${account}.dkr.ecr.${region}.${SUFFIX_OF.get(region) ?? 'amazonaws.com'}`;
}

/** The account in a registry's host, if it names one. */
export function accountInHost(host: string): string | undefined {
  return /^(\d{12})\.dkr[.-]ecr/.exec(host)?.[1];
}
