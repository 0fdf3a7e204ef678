import { atEnd } from './ends.ts';

/** Sets variables of the environment, or takes them away, until the test has ended. */
export function setEnvironment(variables: Readonly<Record<string, string | undefined>>): void {
  const earlier = Object.keys(variables).map((name): [string, string | undefined] => [
    name,
    process.env[name],
  ]);
  write(Object.entries(variables));
  atEnd(() => write(earlier));
}

function write(variables: readonly [string, string | undefined][]): void {
  for (const [name, value] of variables) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}

/** No credentials and no addresses, from wherever the SDK may take them. */
export const NO_AWS: Readonly<Record<string, string | undefined>> = {
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
  AWS_SESSION_TOKEN: undefined,
  AWS_PROFILE: undefined,
  AWS_REGION: undefined,
  AWS_DEFAULT_REGION: undefined,
  AWS_ENDPOINT_URL: undefined,
  AWS_ENDPOINT_URL_ECR: undefined,
  AWS_WEB_IDENTITY_TOKEN_FILE: undefined,
  AWS_ROLE_ARN: undefined,
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: undefined,
  AWS_CONTAINER_CREDENTIALS_FULL_URI: undefined,
  AWS_CONFIG_FILE: '/nowhere/config',
  AWS_SHARED_CREDENTIALS_FILE: '/nowhere/credentials',
  AWS_EC2_METADATA_DISABLED: 'true',
};
