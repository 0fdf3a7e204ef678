import { describe, test } from '@jest/globals';
import fc from 'fast-check';
import { DISTRIBUTION_PARSERS } from './parsers/distribution.ts';
import { BUILDX_PARSERS, GITHUB_PARSERS } from './parsers/github.ts';
import { IMAGE_PARSERS } from './parsers/image.ts';
import { ECR_PARSERS, INPUT_PARSERS } from './parsers/inputs.ts';
import type { Parser } from './parsers/parser.ts';

/** How many inputs each parser is given. */
const RUNS = 400;

const rooms: [room: string, parsers: readonly Parser[]][] = [
  ['src/image', IMAGE_PARSERS],
  ['src/distribution', DISTRIBUTION_PARSERS],
  ['src/inputs', INPUT_PARSERS],
  ['src/ecr', ECR_PARSERS],
  ['src/github, src/release and src/layout', GITHUB_PARSERS],
  ['src/buildx', BUILDX_PARSERS],
];

describe.each(rooms)('whatever the parsers of %s are given is accepted or refused', (_, parsers) => {
  test.each(parsers.map((each): [string, Parser] => [each.name, each]))(
    '%s',
    async (_name, { property, runs }) => {
      await fc.assert(property, { numRuns: runs ?? RUNS });
    },
  );
});
