import { Problems } from '../problems.ts';
import { withoutLogin } from '../words.ts';

/** What the SDK takes from the environment, among others. */
type Environment = Readonly<Record<string, string | undefined>>;

/** The variables that lead a service's API elsewhere, as the SDK has them, and all services'. */
const ENDPOINTS = ['', '_ECR', '_ECR_PUBLIC', '_STS'].map((service) => `AWS_ENDPOINT_URL${service}`);
const KEYS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];

/**
 * Refuses addresses of APIs that the SDK would fail with in words that name no variable.
 * @throws Problems without a password
 */
export function assertEndpoints(environment: Environment): void {
  const problems = ENDPOINTS.flatMap((name) => {
    const text = environment[name];
    if (!text) return [];
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url && /^https?:$/.test(url.protocol) && !url.username && !url.password) return [];
    return [
      `${name}: "${withoutLogin(text)}": write a URL with its scheme and without a user, such as "http://localhost:4566", or leave it out`,
    ];
  });
  if (problems.length > 0) throw new Problems(problems);
}

/**
 * Refuses keys that no request can be signed with: secrets that are pasted or read from files easily have a line break at
 * their end.
 * @throws Problems without any key
 */
export function assertKeys(environment: Environment): void {
  // The SDK takes keys from elsewhere then.
  if (environment.AWS_PROFILE || !environment.AWS_ACCESS_KEY_ID || !environment.AWS_SECRET_ACCESS_KEY) return;
  const problems = KEYS.filter((name) => /[^\x21-\x7e]/.test(environment[name] ?? '')).map(
    (name) =>
      `${name} has a space, a line break or another character that no key has: store it again without, neither around the value nor in it`,
  );
  if (problems.length > 0) throw new Problems(problems);
}
