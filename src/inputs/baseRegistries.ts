import { parseRegistryHost, regionProblem } from '../ecr/partitions.ts';
import type { PrivateRegistry } from '../ecr/places.ts';
import type { InputReader } from './reader.ts';

/**
 * The registries of ECR that base images come from: each by its host, as the Dockerfile has it, or by its region, which means
 * that of the caller's account.
 */
export function readBaseRegistries(reader: InputReader): PrivateRegistry[] {
  const texts = [...new Set(reader.list('base-registries'))];
  return texts.flatMap((text): PrivateRegistry[] => {
    const address = parseRegistryHost(text);
    if (address) return [{ ...address, role: undefined }];
    const problem = regionProblem(text);
    if (!problem) {
      return [{ region: text, account: undefined, fips: false, dualStack: false, role: undefined }];
    }
    reader.refuse(
      'base-registries',
      text,
      /[.:/]/.test(text)
        ? 'write the host of a registry of ECR without a repository, such as "123456789012.dkr.ecr.us-east-1.amazonaws.com", or a region; log in to other registries with docker/login-action before this step'
        : problem,
    );
    return [];
  });
}
