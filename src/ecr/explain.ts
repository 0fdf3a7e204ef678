import { RegistryError, wordsOf } from '../distribution/errors.ts';
import { DISK_FULL, isDiskFull } from '../problems.ts';

const NO_CREDENTIALS =
  'no AWS credentials were found: give the job "permissions: id-token: write" and run aws-actions/configure-aws-credentials before this step, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';

/** The API's refusals by their name, each with what to do. */
const API_ADVICE: Readonly<Record<string, string>> = {
  CredentialsProviderError: NO_CREDENTIALS,
  ExpiredTokenException:
    'the AWS credentials have expired: run aws-actions/configure-aws-credentials again before this step',
  UnrecognizedClientException:
    'the AWS credentials are not valid in this region: check them, and that the region is enabled for the account',
  AccessDeniedException:
    'allow the action that is named here in the policy of the role that this job assumes',
};

/** The registry's refusals by their code, each with what to do. */
const REGISTRY_ADVICE: Readonly<Record<string, string>> = {
  NAME_UNKNOWN: 'create the repository in this region, or set "create-repository: true"',
  TAG_INVALID:
    "the tag is immutable and shows another image: publish under a new tag, or make the repository's tags mutable",
  UNSUPPORTED:
    'ECR takes no manifest with fields or media types that it does not know: rebuild the image with a current builder',
  DENIED: "allow this in the policy of the role that this job assumes, and in the repository's own policy",
  TOOMANYREQUESTS: "the account's request quota was used up: run fewer jobs at once, or ask AWS to raise it",
};

/**
 * A failure in a destination as a user should read it: where, what ECR said, and what to do next.
 * @param where a region or a host
 * @param repository the repository's name
 */
export function explainFailure(error: unknown, where: string, repository: string): string {
  if (!(error instanceof Error)) return `${where}: ${repository}: ${String(error)}`;
  // Missing credentials are missing everywhere: said once, without the region.
  if (error.name === 'CredentialsProviderError') return NO_CREDENTIALS;
  if (isDiskFull(error)) return DISK_FULL;
  const advice = adviceFor(error);
  return `${where}: ${repository}: ${messageOf(error)}${advice ? ` (${advice})` : ''}`;
}

function adviceFor(error: Error): string | undefined {
  if (!(error instanceof RegistryError)) return API_ADVICE[error.name];
  const code = error.codes.find((each) => each in REGISTRY_ADVICE);
  return code ? REGISTRY_ADVICE[code] : undefined;
}

function messageOf(error: Error): string {
  const words = wordsOf(error);
  return error.name.endsWith('Exception') ? `${error.name}: ${words}` : words;
}
