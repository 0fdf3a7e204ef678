import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toCreateInput } from '../../src/ecr/creation.ts';
import { parseRepositorySettings } from '../../src/ecr/repositorySettings.ts';
import { Problems } from '../../src/problems.ts';
import { plain } from '../../src/words.ts';

const LIFECYCLE = {
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: 'untagged', countType: 'sinceImagePushed', countUnit: 'days', countNumber: 14 },
      action: { type: 'expire' },
    },
  ],
};
const POLICY = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: '*', Action: 'ecr:BatchGetImage' }],
};

const noFile = async () => {
  throw Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' });
};
const parse = (text: string) => parseRepositorySettings(text, noFile);

/** All that is wrong with settings, without the input's name. */
async function problemsOf(
  text: string,
  readFile: (path: string) => Promise<string> = noFile,
): Promise<string[]> {
  const error: unknown = await parseRepositorySettings(text, readFile).catch((reason: unknown) => reason);
  if (!(error instanceof Problems)) throw new Error('nothing was wrong', { cause: error });
  return error.problems.map((problem) => {
    expect(problem).toMatch(/^input "repository-settings"(?: \([^)]+\))?: /);
    return problem.replace(/^input "repository-settings": /, '');
  });
}

describe('repository settings', () => {
  test('are read from YAML, with policies as mappings', async () => {
    const text = `
      tag-mutability: immutable_with_exclusion
      tag-mutability-exclusions: [latest, "dev-*"]
      scan-on-push: true
      encryption:
        type: kms
        kms-key: alias/ecr
      lifecycle-policy: ${JSON.stringify(LIFECYCLE)}
      repository-policy:
        Version: 2012-10-17
        Statement:
          - { Effect: Allow, Principal: "*", Action: "ecr:BatchGetImage" }
      tags: { team: web, "cost-center": "0042", empty: "" }
    `;
    expect(await parse(text)).toEqual({
      tagMutability: 'IMMUTABLE_WITH_EXCLUSION',
      tagMutabilityExclusions: ['latest', 'dev-*'],
      scanOnPush: true,
      encryption: { type: 'KMS', kmsKey: 'alias/ecr' },
      lifecyclePolicy: JSON.stringify(LIFECYCLE),
      repositoryPolicy: JSON.stringify(POLICY),
      tags: new Map([
        ['team', 'web'],
        ['cost-center', '0042'],
        ['empty', ''],
      ]),
    });
  });

  test('keep policies that are JSON text as they were written', async () => {
    const written = JSON.stringify(LIFECYCLE, null, 2);
    const settings = await parse(JSON.stringify({ 'lifecycle-policy': `${written}\n` }));
    expect(settings.lifecyclePolicy).toBe(written);
  });

  test('are read from a file that is named on one line', async () => {
    const asked: string[] = [];
    const settings = await parseRepositorySettings(' .github/ecr.yml\n', async (path) => {
      asked.push(path);
      return 'scan-on-push: false';
    });
    expect(asked).toEqual(['.github/ecr.yml']);
    expect(settings.scanOnPush).toBe(false);
  });

  test('that are one line of YAML are no file, however the line ends', async () => {
    expect(await problemsOf('lifecycle-policy: policy.json')).toEqual([
      'lifecycle-policy: "policy.json": write a mapping with a list of "rules", or the same as JSON text',
    ]);
  });

  test.each(['', '# nothing yet', '{}'])('may state nothing: %p', async (text) => {
    expect(toCreateInput(await parse(text), { region: 'us-east-1' })).toEqual({
      input: {},
      lifecyclePolicy: undefined,
      repositoryPolicy: undefined,
    });
  });

  test('may be misspelt in any way without anything else than problems being thrown', async () => {
    const names = [
      'tag-mutability',
      'tag-mutability-exclusions',
      'scan-on-push',
      'encryption',
      'lifecycle-policy',
    ];
    const key = fc.constantFrom(
      ...names,
      'repository-policy',
      'tags',
      'rules',
      'type',
      'kms-key',
      'Statement',
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue({ maxDepth: 1 }),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 4 }),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          value.map((json) => JSON.stringify(json)),
          fc.string(),
        ),
        async (text) => {
          const error: unknown = await parse(text).then(
            () => new Problems([]),
            (reason: unknown) => reason,
          );
          expect(error).toBeInstanceOf(Problems);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('repository settings that are wrong', () => {
  test('are told all at once, each with its field, what is there, and what to write', async () => {
    const text = `
      tagMutability: IMMUTABLE
      colour: blue
      tag-mutability: fixed
      tag-mutability-exclusions: [latest, "a*b*c*", 7]
      scan-on-push: "yes"
      encryption: { type: AES256, kms-key: ecr, kmskey: x }
      lifecycle-policy: nothing
      repository-policy: { Version: "2012-10-17" }
      tags: { "aws:team": web, port: 80 }
    `;
    const filter = 'write a tag, with at most two "*" for any text, of up to 128 letters, digits and "._-*"';
    expect(await problemsOf(text)).toEqual([
      'there is no field tagMutability; did you mean "tag-mutability"?',
      'there is no field colour; known are tag-mutability, tag-mutability-exclusions, scan-on-push, encryption, lifecycle-policy, repository-policy, tags',
      'tag-mutability: "fixed": write one of MUTABLE, IMMUTABLE, MUTABLE_WITH_EXCLUSION, IMMUTABLE_WITH_EXCLUSION',
      `tag-mutability-exclusions[1]: "a*b*c*": ${filter}`,
      `tag-mutability-exclusions[2]: 7: ${filter}`,
      'scan-on-push: "yes": write true or false',
      'there is no field encryption.kmskey; did you mean "kms-key"?',
      'encryption.kms-key: "ecr": write a key\'s id or ARN, or "alias/NAME"',
      'encryption.kms-key: "ecr": leave it out, or write "type: KMS": AES256 has no key of yours',
      'lifecycle-policy: "nothing": write a mapping with a list of "rules", or the same as JSON text',
      'repository-policy.Statement is missing: write a list of statements, each a mapping with Effect, Principal and Action',
      'tags["aws:team"]: "web": name it by 1 to 128 letters, digits, spaces and "_.:/=+-@", not beginning with "aws:"',
      'tags.port: 80: write a text of up to 256 letters, digits, spaces and "_.:/=+-@", in quotes if it looks like anything else',
    ]);
  });

  const cases: readonly [text: string, problem: RegExp][] = [
    [
      'tag-mutability: IMMUTABLE_WITH_EXCLUSION',
      /^tag-mutability-exclusions is missing: name .* or write "tag-mutability: IMMUTABLE"$/,
    ],
    [
      'tag-mutability-exclusions: [latest]',
      /^tag-mutability-exclusions: \["latest"\]: write "tag-mutability: IMMUTABLE_WITH_EXCLUSION"/,
    ],
    [
      '{ tag-mutability: IMMUTABLE, tag-mutability-exclusions: [a] }',
      /^tag-mutability-exclusions: \["a"\]: write/,
    ],
    ['{ tag-mutability: MUTABLE_WITH_EXCLUSION, tag-mutability-exclusions: [] }', /: \[\]: name 1 to 5$/],
    [
      '{ tag-mutability: MUTABLE_WITH_EXCLUSION, tag-mutability-exclusions: [a, b, c, d, e, f] }',
      /: name 1 to 5$/,
    ],
    [
      `{ tag-mutability: MUTABLE_WITH_EXCLUSION, tag-mutability-exclusions: [${'a'.repeat(129)}] }`,
      /^tag-mutability-exclusions\[0\]: "aaa/,
    ],
    ['tag-mutability-exclusions: latest', /: "latest": write a list of tags/],
    ['scan-on-push:', /^scan-on-push: null: write true or false$/],
    ['encryption: KMS', /^encryption: "KMS": write a mapping, such as \{ type: KMS, kms-key: alias\/ecr \}$/],
    ['encryption: {}', /^encryption\.type is missing: write one of AES256, KMS, KMS_DSSE$/],
    ['encryption: { type: KMS, kms-key: 7 }', /^encryption\.kms-key: 7: write a key's id or ARN/],
    [
      'encryption: { type: KMS, kms-key: { europe: alias/ecr } }',
      /^encryption\.kms-key\.europe: .*: name the place of each key as "region" or "account\/region"$/,
    ],
    [
      'encryption: { type: KMS, kms-key: { eu-west-1: ecr } }',
      /^encryption\.kms-key\.eu-west-1: "ecr": write a key's id/,
    ],
    ['repository-policy: "{"', /^repository-policy: "\{": write a mapping .* JSON text$/],
    [
      'repository-policy: { Statement: [] }',
      /^repository-policy\.Statement: \[\]: write a list of statements/,
    ],
    [
      'repository-policy: { Statement: { Effect: allow } }',
      /^repository-policy\.Statement\.Effect: "allow": write Allow or Deny$/,
    ],
    [
      'repository-policy: { Statement: [7] }',
      /^repository-policy\.Statement\[0\]: 7: write a list of statements/,
    ],
    [
      JSON.stringify({ 'repository-policy': { ...POLICY, Id: 'x'.repeat(10_240) } }),
      /: its JSON has 103\d\d characters, but ECR takes 0 to 10240$/,
    ],
    ['tags: [a]', /^tags: \["a"\]: write a mapping, such as \{ team: web \}$/],
    [
      JSON.stringify({ tags: Object.fromEntries(Array.from({ length: 51 }, (_, each) => [`t${each}`, ''])) }),
      /^tags: .*: name no more than 50$/,
    ],
    [JSON.stringify({ tags: { ['k'.repeat(129)]: '' } }), /^tags\["kkk.*: name it by 1 to 128 letters/],
    [JSON.stringify({ tags: { a: 'v'.repeat(257) } }), /^tags\.a: "vvv.*: write a text of up to 256/],
    [
      '- scan-on-push',
      /^"- scan-on-push": write settings one a line, such as "tag-mutability: IMMUTABLE", or the path/,
    ],
    [
      './settings',
      /^"\.\/settings": write settings one a line, such as .*, or the path of a file, which ends in \.yml, \.yaml or \.json$/,
    ],
    ['tags: &all { a: *all }', /^this is not YAML that can be used: /],
    [
      'scan-on-push: !Ref Scan',
      /^this is not YAML that can be used: Unresolved tag: !Ref at line 1, column 15$/,
    ],
    [
      'scan-on-push: true\nscan-on-push: false',
      /^this is not YAML that can be used: Map keys must be unique at line 2, column 1$/,
    ],
    [
      'settings.yaml',
      /^"settings\.yaml": there is no such file: does the job run actions\/checkout before\?$/,
    ],
  ];
  const titled = cases.map(([text, problem]) => [plain(text, 70), text, problem] as const);

  test.each(titled)('such as %s are told', async (_, text, problem) => {
    const problems = await problemsOf(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });

  test('are told of a folder, and of a file that may not be read', async () => {
    const reading = (code: string) => async () => Promise.reject(Object.assign(new Error('words'), { code }));
    const advice = 'write the path of a file with the settings';
    expect(await problemsOf('ecr.json', reading('EISDIR'))).toEqual([
      `"ecr.json": this is a folder: ${advice}`,
    ]);
    expect(await problemsOf('ecr.json', reading('EACCES'))).toEqual([
      `"ecr.json": this file cannot be read (words): ${advice} that this job may read`,
    ]);
  });

  test('are told with the file that they are in', async () => {
    const [problem] = await problemsOf('ecr.json', async () => '{"scan-on-push": 1}');
    expect(problem).toBe('input "repository-settings" (ecr.json): scan-on-push: 1: write true or false');
  });
});

test('settings are worded for ECR, with the key of the place', async () => {
  const settings = await parse(`
    tag-mutability: MUTABLE_WITH_EXCLUSION
    tag-mutability-exclusions: ["v*"]
    scan-on-push: false
    encryption: { type: KMS_DSSE, kms-key: { us-east-1: alias/one, 123456789012/us-east-1: alias/two } }
    tags: { team: web }
  `);
  expect(toCreateInput(settings, { account: '123456789012', region: 'us-east-1' }).input).toEqual({
    imageTagMutability: 'MUTABLE_WITH_EXCLUSION',
    imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'v*' }],
    imageScanningConfiguration: { scanOnPush: false },
    encryptionConfiguration: { encryptionType: 'KMS_DSSE', kmsKey: 'alias/two' },
    tags: [{ Key: 'team', Value: 'web' }],
  });
  const other = toCreateInput(settings, { account: '210987654321', region: 'us-east-1' });
  expect(other.input.encryptionConfiguration).toEqual({ encryptionType: 'KMS_DSSE', kmsKey: 'alias/one' });
});
