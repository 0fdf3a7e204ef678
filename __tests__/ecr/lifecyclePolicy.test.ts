import { describe, expect, test } from '@jest/globals';
import { DocumentReader } from '../../src/ecr/documentReader.ts';
import { checkLifecyclePolicy } from '../../src/ecr/lifecyclePolicy.ts';

const selection = {
  tagStatus: 'untagged',
  countType: 'sinceImagePushed',
  countUnit: 'days',
  countNumber: 14,
};
const rule = { rulePriority: 1, selection, action: { type: 'expire' } };
const tagged = { ...selection, tagStatus: 'tagged', tagPatternList: ['v*'] };
const any = { ...selection, tagStatus: 'any' };

/** What is wrong with a policy. */
function problemsOf(policy: unknown): readonly string[] {
  const reader = new DocumentReader('x', { policy });
  checkLifecyclePolicy(reader, ['policy']);
  return reader.problems.map((problem) => problem.replace(/^x: policy/, ''));
}

describe('a lifecycle policy that ECR takes', () => {
  test.each<[string, unknown[]]>([
    ['expires by age', [rule]],
    [
      'keeps a number of images',
      [{ ...rule, selection: { ...any, countType: 'imageCountMoreThan', countUnit: undefined } }],
    ],
    [
      'knows tags by prefixes',
      [{ ...rule, selection: { ...tagged, tagPatternList: undefined, tagPrefixList: ['v'] } }],
    ],
    [
      'has its last rule for all images',
      [
        { ...rule, selection: tagged },
        { ...rule, rulePriority: 9, selection: any },
      ],
    ],
    [
      'archives images, and expires those that are archived',
      [
        {
          ...rule,
          selection: { ...any, countType: 'sinceImagePulled' },
          action: { type: 'transition', targetStorageClass: 'archive' },
        },
        {
          ...rule,
          rulePriority: 2,
          selection: { ...selection, countType: 'sinceImageTransitioned', storageClass: 'archive' },
        },
      ],
    ],
    [
      'has fields that are newer than this',
      [{ ...rule, newer: true, selection: { ...selection, newer: [] } }],
    ],
  ])('%s', (_, rules) => {
    expect(problemsOf({ rules })).toEqual([]);
  });
});

describe('a lifecycle policy that ECR would refuse', () => {
  test.each<[unknown, string[]]>([
    [7, [': 7: write a mapping with a list of "rules", or the same as JSON text']],
    [{}, ['.rules is missing: write a list of rules']],
    [{ rules: [] }, ['.rules: []: write at least one rule']],
    [{ rules: [7] }, ['.rules[0]: 7: write a mapping with rulePriority, selection and action']],
    [
      { rules: [{}] },
      [
        '.rules[0].rulePriority is missing: write a whole number of 1 or more',
        '.rules[0].selection is missing: write a mapping with tagStatus, countType and countNumber',
        '.rules[0].action is missing: write { type: expire }',
      ],
    ],
    [
      {
        rules: [
          {
            rulePriority: 0,
            description: 1,
            selection: {
              tagStatus: 'none',
              countType: 'age',
              countUnit: 'weeks',
              countNumber: 1.5,
              tagPrefixList: [],
            },
            action: { type: 'delete' },
          },
        ],
      },
      [
        '.rules[0].rulePriority: 0: write a whole number of 1 or more',
        '.rules[0].description: 1: write a text',
        '.rules[0].selection.tagStatus: "none": write one of tagged, untagged, any',
        '.rules[0].selection.tagPrefixList: []: name at least one',
        '.rules[0].selection.countType: "age": write one of imageCountMoreThan, sinceImagePushed, sinceImagePulled, sinceImageTransitioned',
        '.rules[0].selection.countUnit: "weeks": write days',
        '.rules[0].selection.countNumber: 1.5: write a whole number of 1 or more',
        '.rules[0].action.type: "delete": write expire',
      ],
    ],
    [
      { rules: [{ ...rule, selection: { ...tagged, tagPatternList: undefined } }] },
      [
        '.rules[0].selection.tagPatternList is missing: say which tags are meant, as in ["release-*"], or by a tagPrefixList',
      ],
    ],
    [
      { rules: [{ ...rule, selection: { ...tagged, tagPrefixList: ['v'] } }] },
      ['.rules[0].selection.tagPrefixList: ["v"]: leave it out, or tagPatternList: ECR takes one of the two'],
    ],
    [
      { rules: [{ ...rule, selection: { ...tagged, tagPatternList: ['a*b*c*d*e*'] } }] },
      ['.rules[0].selection.tagPatternList: ["a*b*c*d*e*"]: write no more than 4 wildcards in each'],
    ],
    [
      { rules: [{ ...rule, selection: { ...selection, tagPatternList: ['v*'] } }] },
      ['.rules[0].selection.tagPatternList: ["v*"]: leave it out: images without tags are meant'],
    ],
    [
      { rules: [{ ...rule, selection: { ...selection, countUnit: undefined } }] },
      ['.rules[0].selection.countUnit is missing: write days'],
    ],
    [
      { rules: [{ ...rule, selection: { ...selection, countType: 'imageCountMoreThan' } }] },
      ['.rules[0].selection.countUnit: "days": leave it out: imageCountMoreThan counts images'],
    ],
    [
      { rules: [rule, { ...rule, selection: tagged }] },
      ['.rules[1].rulePriority: 1: give each rule another number'],
    ],
    [
      {
        rules: [
          { ...rule, selection: any },
          { ...rule, rulePriority: 2, selection: tagged },
        ],
      },
      [
        '.rules[0].rulePriority: 1: give the rule for any tag status the highest number, so that it is the last one',
      ],
    ],
  ])('%j is told why', (policy, problems) => {
    expect(problemsOf(policy)).toEqual(problems);
  });
});
