import * as z from 'zod/mini';
import { type Call, type Operation, operation, registryIdSchema, registryOf, timestamp } from './call.ts';

const tokenSchema = z.object({
  registryIds: z.optional(z.array(registryIdSchema).check(z.minLength(1), z.maxLength(10))),
});

function getToken({ registryIds = [undefined] }: z.infer<typeof tokenSchema>, call: Call): unknown {
  const { service, region, principal } = call;
  const { accessKey } = principal;
  const expires = service.now() + service.tokenLifetime * 1_000;
  const authorizationData = registryIds.map((registryId) => {
    const registry = registryOf({ registryId }, call);
    const { account } = registry;
    return {
      authorizationToken: service.tokens.issue({ account, region, accessKey, expires }),
      expiresAt: timestamp(expires),
      proxyEndpoint: service.addressOf(registry),
    };
  });
  return { authorizationData };
}

export const REGISTRY_OPERATIONS: Readonly<Record<string, Operation>> = {
  GetAuthorizationToken: operation(tokenSchema, getToken),
  DescribeRegistry: operation(z.object({}), (_, call) => ({
    registryId: call.account,
    replicationConfiguration: { rules: [] },
  })),
};
