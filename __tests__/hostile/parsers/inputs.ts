import fc from 'fast-check';
import { RegistryError } from '../../../src/distribution/errors.ts';
import { explainFailure } from '../../../src/ecr/explain.ts';
import {
  accountInHost,
  accountOfRole,
  endpointsProblem,
  parseRegistryHost,
  regionProblem,
  registryHost,
} from '../../../src/ecr/partitions.ts';
import { namesOf } from '../../../src/ecr/places.ts';
import { parseRepositorySettings } from '../../../src/ecr/repositorySettings.ts';
import { isDigest } from '../../../src/image/digest.ts';
import { parsePlatform } from '../../../src/image/platform.ts';
import { isRepositoryName, isTag } from '../../../src/image/reference.ts';
import { ownRepositories, readDestinationLines, readDestinations } from '../../../src/inputs/destinations.ts';
import { readHandOff } from '../../../src/inputs/legs.ts';
import { readNames } from '../../../src/inputs/names.ts';
import { readPlan } from '../../../src/inputs/plan.ts';
import { InputReader } from '../../../src/inputs/reader.ts';
import { planJobs } from '../../../src/modes/plan.ts';
import { Problems } from '../../../src/problems.ts';
import { namePlatformTags, templateProblem } from '../../../src/release/legs/tagName.ts';
import { jsonTexts, type Parser, parser, promise, texts } from './parser.ts';

const HOSTS = [
  '123456789012.dkr.ecr.us-east-1.amazonaws.com',
  '123456789012.dkr-ecr-fips.us-gov-west-1.on.aws',
  '123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn',
  'public.ecr.aws',
  'ghcr.io',
  '127.0.0.1:5000',
];
const ROLE = 'arn:aws:iam::123456789012:role/path/publish';
const LINES = [
  ...HOSTS.map((host) => `${host}/team/app`),
  'us-east-1',
  `eu-west-1 role=${ROLE} external-id=x`,
];
const DIGEST = `sha256:${'a'.repeat(64)}`;
const ENDPOINTS = { fips: false, dualStack: false };

/** A reader whose every input is this text. */
const readerOf = (text: string) => new InputReader(() => text);

/** What is accepted without a problem. */
function accepted<T>(reader: InputReader, value: T): T | undefined {
  for (const problem of reader.problems)
    promise(/^input "[\w-]+"/.test(problem), 'a problem names its input');
  return reader.problems.length === 0 ? value : undefined;
}

const YAML = `tag-mutability: IMMUTABLE_WITH_EXCLUSION
tag-mutability-exclusions: [latest, "dev-*"]
scan-on-push: true
encryption: { type: KMS, kms-key: { us-east-1: alias/a } }
lifecycle-policy:
  rules:
    - { rulePriority: 1, selection: { tagStatus: untagged, countType: imageCountMoreThan, countNumber: 9 }, action: { type: expire } }
repository-policy: { Version: "2012-10-17", Statement: [] }
tags: { team: web }
`;
const BOMB = `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefghi']
  .map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[at]}`).join()}]`)
  .join('\n')}\ntags: *i\n`;

export const INPUT_PARSERS: readonly Parser[] = [
  parser('a list', {
    input: texts('a,b\nc', '"a,b",c', '"a\nb"'),
    parse: (text) => {
      const reader = readerOf(text);
      for (const entry of [...reader.list('tags'), ...reader.lines('labels')])
        promise(entry !== '' && entry === entry.trim(), 'its entries are no white space');
      accepted(reader, undefined);
    },
  }),
  parser('a list of secrets', {
    input: texts('id=value\n"id2=two\nlines ""quoted"""'),
    parse: (text) => {
      const reader = readerOf(text);
      reader.secrets('secrets');
      accepted(reader, undefined);
    },
  }),
  parser('a number, a flag, a choice', {
    input: texts('12', 'true', 'FALSE', 'one'),
    parse: (text) => {
      const number = readerOf(text);
      const value = accepted(number, number.number('job-index'));
      promise(value === undefined || value >= 0, 'it is a number');
      const flag = readerOf(text);
      flag.flag('push', true);
      flag.oneOf('mode', ['one', 'two'], 'one');
      accepted(flag, undefined);
    },
  }),
  parser('the lines of destinations', {
    input: fc.array(texts(...LINES), { maxLength: 4 }).map((lines) => lines.join('\n')),
    parse: (text) => {
      const reader = readerOf(text);
      const lines = readDestinationLines(reader);
      ownRepositories(lines);
      const places = readDestinations(reader, lines, {
        repository: 'team/app',
        account: undefined,
        endpoints: ENDPOINTS,
      });
      for (const place of accepted(reader, places) ?? []) {
        promise(isRepositoryName(place.repository), 'each names a repository');
        const role = place.kind === 'other' ? undefined : place.role;
        promise(!role || accountOfRole(role.arn) !== undefined, 'and a role, if it names one');
      }
      promise(new Set(namesOf(places)).size === places.length, 'each has a name of its own');
    },
  }),
  parser('repository and tags', {
    input: fc.array(texts('v1', 'ghcr.io/team/app:v1', 'public.ecr.aws/x/app:v1', 'app:v1'), {
      maxLength: 3,
    }),
    parse: (tags) => {
      const reader = new InputReader((name) => (name === 'tags' ? tags.join('\n') : 'team/app'));
      const names = accepted(reader, readNames(reader, []));
      promise(names?.tags.every(isTag) ?? true, 'its tags are such');
    },
  }),
  parser('what is to be planned', {
    input: fc.tuple(
      texts('linux/amd64,linux/arm64'),
      texts('linux/arm64=arm-runner', 'default=["a","b"]', 'linux/386={"group":"x","labels":["y"]}'),
    ),
    parse: ([platforms, runners]) => {
      const reader = new InputReader((name) => ({ platforms, runners })[name] ?? '');
      const plan = accepted(reader, readPlan(reader));
      if (plan) promise(planJobs(plan).length > 0, 'there is a job');
    },
  }),
  parser('the hand-over of legs', {
    input: fc.oneof(
      texts('artifact', 'tags'),
      jsonTexts(
        { 'linux/amd64': DIGEST, 'linux/arm64': DIGEST },
        { build: { result: 'success', outputs: { digest: DIGEST, x: 'y' } }, test: { result: 'failure' } },
      ),
    ),
    parse: (text) => {
      const reader = readerOf(text);
      const handOff = accepted(reader, readHandOff(reader));
      if (handOff?.by !== 'digests') return;
      promise(
        handOff.digests.every(({ digest, name }) => isDigest(digest) && !/\p{Cc}/u.test(name)),
        'each leg has a digest, and a name that can be shown',
      );
    },
  }),
  parser('how tags of platforms are called', {
    input: texts('{tag}-{arch}{-variant}', '{os}.{arch}_{variant}', '{.tag}{_arch}', '{arch}'.repeat(500)),
    parse: (template) => {
      if (templateProblem(template) !== undefined) return;
      const platforms = ['linux/amd64', 'linux/arm/v7'].map((text) => ({ platform: parsePlatform(text) }));
      const { named, problems } = namePlatformTags(template, ['v1', 'latest'], platforms);
      promise(problems.length > 0 || named.every(({ tag }) => isTag(tag)), 'it gives tags');
    },
  }),
  parser('repository settings', {
    input: fc.oneof(texts(YAML), texts('tags: { a: b }'), fc.constantFrom(BOMB, `tags: &a [*a]`)),
    runs: 60,
    refuses: [Problems],
    parse: async (text) => {
      const settings = await parseRepositorySettings(text, async () => Promise.reject(new Error('no file')));
      for (const policy of [settings.lifecyclePolicy, settings.repositoryPolicy])
        if (policy !== undefined) JSON.parse(policy);
    },
  }),
  parser('repository settings in a file', {
    input: jsonTexts({ 'tag-mutability': 'MUTABLE', tags: { a: 'b' }, encryption: { type: 'AES256' } }),
    runs: 60,
    refuses: [Problems],
    parse: (text) => parseRepositorySettings('settings.json', async () => text),
  }),
];

export const ECR_PARSERS: readonly Parser[] = [
  parser("a registry's host", {
    input: texts(...HOSTS),
    parse: (text) => {
      const address = parseRegistryHost(text);
      if (address) promise(registryHost(address) === text, 'it is the one that is then spoken to');
      promise(/^\d{12}$/.test(accountInHost(text) ?? '0'.repeat(12)), 'its account is one');
    },
  }),
  parser('a region', {
    input: texts('us-east-1', 'eu-wset-1', 'xx-north-9', '-a'.repeat(2_000)),
    parse: (text) => {
      const problem = regionProblem(text) ?? endpointsProblem(text, { fips: true, dualStack: true });
      promise(problem !== undefined || /^[a-z0-9-]+$/.test(text), 'it is one that is known');
    },
  }),
  parser('a role', {
    input: texts(ROLE, 'arn:aws-us-gov:iam::123456789012:role/x'),
    parse: (text) => {
      const account = accountOfRole(text);
      promise(account === undefined || (/^\d{12}$/.test(account) && !/\s/.test(text)), 'its account is one');
    },
  }),
  parser("a failure's words", {
    input: fc.record({
      message: texts(
        `User: ${ROLE} is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-east-1:1:repository/a`,
        'with an explicit deny in an identity-based policy',
        'KMS key is disabled',
        'Proxy response (407)',
      ),
      code: texts('DENIED', 'AccessDeniedException', 'ECONNREFUSED'),
      status: fc.constantFrom(200, 400, 401, 403, 404, 413, 429, 500),
      path: texts('/v2/team/app/manifests/v1', '/v2/team/app/blobs/uploads/'),
    }),
    parse: ({ message, code, status, path }) => {
      const url = new URL(`https://${HOSTS[0]}`);
      url.pathname = path;
      const body = JSON.stringify({ errors: [{ code, message }] });
      const errors = [
        new RegistryError({ method: 'PUT', url }, { status, body }),
        Object.assign(new Error(message), { name: code, code, $fault: 'client' }),
        new Error(message, { cause: new AggregateError([new Error(message)]) }),
      ];
      for (const error of errors) {
        const words = explainFailure(error, { name: 'us-east-1', repository: 'team/app' });
        promise(words.length > 0, 'it is told');
      }
    },
  }),
];
