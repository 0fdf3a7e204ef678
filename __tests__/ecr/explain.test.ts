import { describe, expect, test } from '@jest/globals';
import { explainFailure } from '../../src/ecr/explain.ts';
import { refused } from '../support/memory.ts';

const explain = (error: unknown) => explainFailure(error, 'eu-west-1', 'team/app');
const named = (name: string) => Object.assign(new Error('what AWS says'), { name });

describe('a failure in a region', () => {
  test.each([
    ['NAME_UNKNOWN', /create the repository in this region, or set "create-repository: true"/],
    ['TAG_INVALID', /the tag is immutable and shows another image/],
    ['DENIED', /allow this in the policy/],
    ['TOOMANYREQUESTS', /quota was used up/],
  ])('with the code %s says where, what ECR said, and what to do', (code, advice) => {
    const text = explain(refused(code, 'ECR says so'));
    expect(text).toMatch(/^eu-west-1: team\/app: PUT https:.*ECR says so/);
    expect(text).toMatch(advice);
  });

  test.each([
    ['ExpiredTokenException', /credentials have expired/],
    ['UnrecognizedClientException', /region is enabled/],
    ['AccessDeniedException', /policy of the role/],
    ['ServerException', /^eu-west-1: team\/app: ServerException: what AWS says$/],
  ])('of the API, %s, says what to do if that is known', (name, words) => {
    expect(explain(named(name))).toMatch(words);
    expect(explain(named(name))).toContain('what AWS says');
  });

  test.each(['ENOSPC', 'EDQUOT'])(
    'for want of disk space (%s), however deep it lies, is that of this machine',
    (code) => {
      const cause = Object.assign(new Error('no space left on device'), { code });
      expect(explain(new Error('PUT https://registry.example/v2/ failed', { cause }))).toMatch(
        /^the disk that RUNNER_TEMP is on is full: .*free some space/,
      );
    },
  );

  test('for want of credentials is the same in all regions, and says how to get some', () => {
    const text = explain(named('CredentialsProviderError'));
    expect(text).toMatch(/^no AWS credentials were found: .*id-token: write.*configure-aws-credentials/);
    expect(explainFailure(named('CredentialsProviderError'), 'us-east-1', 'other')).toBe(text);
  });

  test('to connect has words even where the system gives several', () => {
    const several = new AggregateError([new Error('connect ECONNREFUSED ::1:1'), 'and more']);
    expect(explain(several)).toBe('eu-west-1: team/app: connect ECONNREFUSED ::1:1; and more');
  });

  test('that is no error is told all the same', () => {
    expect(explain('odd')).toBe('eu-west-1: team/app: odd');
  });
});
