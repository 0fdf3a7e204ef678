import type { Proxies } from '../distribution/proxies.ts';
import { createEcrApi } from './api.ts';
import { type CredentialsOptions, RoleCredentials } from './credentials.ts';
import { createPublicApi, PUBLIC_REGION } from './publicApi.ts';
import { type RequestHandling, requestHandling } from './requests.ts';
import { assertEndpoints, assertKeys } from './sdkEnvironment.ts';
import type { EcrCollaborators } from './target.ts';

/** As whom ECR is called, and how. */
export interface ApisOptions extends Omit<CredentialsOptions, 'requests'> {
  readonly proxy: Proxies;
  /** From which the SDK takes addresses and keys. */
  readonly environment: NodeJS.ProcessEnv;
}

/** ECR's APIs. */
interface Apis extends Pick<EcrCollaborators, 'createApi' | 'createPublicApi'> {
  /** Ends all connections; called when no call matters any more. */
  close(): void;
}

/**
 * ECR's APIs, called as the roles that the options and the destinations name.
 * @throws Problems, as do the functions that it gives, for an environment that the SDK cannot use
 */
export function createApis(options: ApisOptions): Apis {
  const { userAgent, environment } = options;
  assertEndpoints(environment);
  const handlings: RequestHandling[] = [];
  // Each API's connections are its own, as on AWS, also where one address stands for all of them.
  const requests = () => {
    const handling = requestHandling(options.proxy);
    handlings.push(handling);
    return handling;
  };
  const credentials = new RoleCredentials({ ...options, requests: requests() });
  return {
    createApi({ region, role, fips, dualStack }) {
      assertKeys(environment);
      return createEcrApi({
        region,
        fips,
        dualStack,
        userAgent,
        requests: requests(),
        credentials: credentials.for(role, region),
      });
    },
    createPublicApi(role) {
      assertKeys(environment);
      return createPublicApi({
        userAgent,
        requests: requests(),
        credentials: credentials.for(role, PUBLIC_REGION),
      });
    },
    close() {
      for (const { httpAgent, httpsAgent } of handlings) {
        httpAgent.destroy();
        httpsAgent.destroy();
      }
    },
  };
}
