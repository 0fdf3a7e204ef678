import { partitionId } from '../src/ecr/partitions.ts';

/**
 * The ARN of a resource, in the partition of a region. Those of IAM, STS and ECR Public name no region themselves.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
 */
export function arn(
  service: 'ecr' | 'ecr-public' | 'iam' | 'sts',
  { account, region }: { readonly account: string; readonly region: string },
  resource: string,
): string {
  return `arn:${partitionId(region)}:${service}:${service === 'ecr' ? region : ''}:${account}:${resource}`;
}
