import * as z from 'zod/mini';
import {
  type Call,
  type Operation,
  operation,
  pageOf,
  paging,
  registryIdSchema,
  registryOf,
  timestamp,
} from '../api/call.ts';
import type { JsonApi } from '../api/handler.ts';
import { IMAGE_OPERATIONS } from '../api/images.ts';
import { LAYER_OPERATIONS } from '../api/layers.ts';
import { resourceTagsSchema, tagged } from '../api/settings.ts';
import { arn } from '../arn.ts';
import type { Repository } from '../state/repository.ts';
import { isEcrName, NAME_RULE } from '../state/settings.ts';
import type { Aliases } from './aliases.ts';

/** The operations that are the same as those of private registries. */
const SHARED = [
  'BatchCheckLayerAvailability',
  'InitiateLayerUpload',
  'UploadLayerPart',
  'CompleteLayerUpload',
  'PutImage',
  'DescribeImages',
  'BatchDeleteImage',
];

const nameSchema = z
  .string('must not be null')
  .check(z.refine(isEcrName, NAME_RULE), z.maxLength(205, 'must have length less than or equal to 205'));
const inRepository = { registryId: registryIdSchema, repositoryName: nameSchema };

function textOf(most: number) {
  return z.optional(z.string().check(z.maxLength(most, `must have length less than or equal to ${most}`)));
}

const namesSchema = z.optional(z.array(z.string()).check(z.maxLength(50)));
const catalogSchema = z.object({
  description: textOf(1_024),
  architectures: namesSchema,
  operatingSystems: namesSchema,
  aboutText: textOf(25_600),
  usageText: textOf(25_600),
});

function getToken(_input: unknown, { service, principal, account, region }: Call): unknown {
  const expires = service.now() + service.tokenLifetime * 1_000;
  const authorizationToken = service.tokens.issue({
    account,
    region,
    accessKey: principal.accessKey,
    expires,
  });
  return { authorizationData: { authorizationToken, expiresAt: timestamp(expires) } };
}

/**
 * The API of ECR Public.
 * https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/API_Operations.html
 */
export function publicApi(aliases: Aliases): JsonApi {
  const describe = ({ name, account, region, createdAt }: Repository) => ({
    repositoryArn: arn('ecr-public', { account, region }, `repository/${name}`),
    registryId: account,
    repositoryName: name,
    repositoryUri: `public.ecr.aws/${aliases.of(account)}/${name}`,
    createdAt: timestamp(createdAt),
  });
  const own: Record<string, Operation> = {
    GetAuthorizationToken: operation(z.object({}), getToken),
    DescribeRegistries: operation(z.object(paging), (input, { account, region }) => {
      const { page, next } = pageOf([describeRegistry(aliases.of(account), { account, region })], input);
      return { registries: page, ...next };
    }),
    CreateRepository: operation(
      z.object({
        repositoryName: nameSchema,
        catalogData: z.optional(catalogSchema),
        tags: z._default(resourceTagsSchema, []),
      }),
      ({ repositoryName, catalogData = {}, tags }, call) => {
        const repository = registryOf({}, call).create(repositoryName, { tags: tagged(tags) });
        return { repository: describe(repository), catalogData };
      },
    ),
    DescribeRepositories: operation(
      z.object({
        registryId: registryIdSchema,
        repositoryNames: z.optional(z.array(nameSchema).check(z.minLength(1), z.maxLength(100))),
        ...paging,
      }),
      (input, call) => {
        const registry = registryOf(input, call);
        const names = input.repositoryNames;
        const all = names?.map((name) => registry.repository(name)) ?? registry.repositories();
        const { page, next } = pageOf(all, input);
        return { repositories: page.map(describe), ...next };
      },
    ),
    DeleteRepository: operation(
      z.object({ ...inRepository, force: z._default(z.boolean(), false) }),
      (input, call) => ({
        repository: describe(registryOf(input, call).remove(input.repositoryName, input)),
      }),
    ),
  };
  const shared = Object.entries({ ...LAYER_OPERATIONS, ...IMAGE_OPERATIONS });
  const operations = [...Object.entries(own), ...shared.filter(([name]) => SHARED.includes(name))];
  return { name: 'ecr-public', operations: new Map(operations) };
}

function describeRegistry(alias: string, { account, region }: Pick<Call, 'account' | 'region'>) {
  return {
    registryId: account,
    registryArn: arn('ecr-public', { account, region }, `registry/${account}`),
    registryUri: `public.ecr.aws/${alias}`,
    verified: false,
    aliases: [{ name: alias, status: 'ACTIVE', primaryRegistryAlias: true, defaultRegistryAlias: true }],
  };
}
