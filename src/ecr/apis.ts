import { createEcrApi } from './api.ts';
import { type CredentialsOptions, RoleCredentials } from './credentials.ts';
import { createPublicApi, PUBLIC_REGION } from './publicApi.ts';
import { type ProxyEnvironment, requestHandling } from './requests.ts';
import type { EcrCollaborators } from './target.ts';

/** As whom ECR is called, and how. */
export interface ApisOptions extends Omit<CredentialsOptions, 'requests'> {
  /** For proxies. */
  readonly environment: ProxyEnvironment;
}

/** ECR's APIs. */
interface Apis extends Pick<EcrCollaborators, 'createApi' | 'createPublicApi'> {
  /** Ends all connections; called when no call matters any more. */
  close(): void;
}

/** ECR's APIs, called as the roles that the options and the destinations name. */
export function createApis(options: ApisOptions): Apis {
  const { userAgent } = options;
  const requests = requestHandling(options.environment);
  const credentials = new RoleCredentials({ ...options, requests });
  return {
    createApi: ({ region, role, fips, dualStack }) =>
      createEcrApi({
        region,
        fips,
        dualStack,
        userAgent,
        requests,
        credentials: credentials.for(role, region),
      }),
    createPublicApi: (role) =>
      createPublicApi({ userAgent, requests, credentials: credentials.for(role, PUBLIC_REGION) }),
    close() {
      requests.httpAgent.destroy();
      requests.httpsAgent.destroy();
    },
  };
}
