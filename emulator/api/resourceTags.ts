import * as z from 'zod/mini';
import { arn } from '../arn.ts';
import { invalidParameter } from '../errors.ts';
import type { Repository } from '../state/repository.ts';
import { type Call, type Operation, operation, registryOf } from './call.ts';
import { resourceTagsSchema, tagged, tagList } from './settings.ts';

/** The ARN of a repository in a private registry. */
export function arnOf(repository: Repository): string {
  return arn('ecr', repository, `repository/${repository.name}`);
}

function byArn(resourceArn: string, call: Call): Repository {
  const parts = /:(?<account>\d{12}):repository\/(?<name>.+)$/.exec(resourceArn)?.groups;
  const expected = invalidParameter('resourceArn', 'must be a repository of this region');
  if (!parts) throw expected;
  const repository = registryOf({ registryId: parts.account }, call).repository(parts.name ?? '');
  if (arnOf(repository) !== resourceArn) throw expected;
  return repository;
}

const resource = { resourceArn: z.string('must not be null') };

/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-using-tags.html */
export const TAG_OPERATIONS: Readonly<Record<string, Operation>> = {
  ListTagsForResource: operation(z.object(resource), ({ resourceArn }, call) => ({
    tags: tagList(byArn(resourceArn, call).settings.tags),
  })),
  TagResource: operation(z.object({ ...resource, tags: resourceTagsSchema }), (input, call) => {
    const { settings } = byArn(input.resourceArn, call);
    settings.tags = tagged(input.tags, settings.tags);
    return {};
  }),
  UntagResource: operation(z.object({ ...resource, tagKeys: z.array(z.string()) }), (input, call) => {
    const { settings } = byArn(input.resourceArn, call);
    settings.tags = new Map([...settings.tags].filter(([key]) => !input.tagKeys.includes(key)));
    return {};
  }),
};
