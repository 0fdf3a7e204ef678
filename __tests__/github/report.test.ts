import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  failureSummary,
  formatBytes,
  imagesOf,
  keptLines,
  resultLine,
  summaryOf,
} from '../../src/github/report.ts';
import { digestOf } from '../../src/image/digest.ts';
import type { Outcome } from '../../src/modes/services.ts';
import type { Result } from '../../src/release/result.ts';
import { imageOf } from '../support/images.ts';

const digest = digestOf(Buffer.from('root'));

function resultOf(destination: string, fields: Partial<Result> = {}): Result {
  return {
    destination,
    image: `${destination}.example/team/app`,
    state: 'published',
    digest,
    tags: { v1: digest, latest: digest },
    platforms: ['linux/amd64', 'linux/arm64'],
    sent: 12_400_000,
    reused: 812,
    seconds: 3.456,
    ...fields,
  };
}

function outcomeOf(results: readonly Result[], tags: readonly string[] = ['v1', 'latest']): Outcome {
  return { digest, tags, results, metadata: '{}' };
}

/** What Markdown and HTML are made of, once escapes are gone. */
const MARKUP = /[`*_{}[\]<>|#]/;

function withoutEscapes(text: string): string {
  return text.replace(/\\./g, '');
}

describe('the summary', () => {
  const results = [
    resultOf('us-east-1'),
    resultOf('eu-west-1', { state: 'failed', error: 'it broke' }),
    resultOf('sa-east-1', { state: 'held back' }),
  ];

  test('has one row a region, in their order', () => {
    const rows = summaryOf(outcomeOf(results), 'Published team/app')
      .split('\n')
      .filter((line) => line.startsWith('|'));
    const cells = rows.map((row) =>
      row
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1),
    );
    const short = `\`${digest.slice(0, 19)}\``;
    const measured = ['linux/amd64, linux/arm64', '12.4 MB', '812 B', '3.5'];
    expect(cells).toEqual([
      ['Region', 'Digest', 'Platforms', 'Sent', 'Reused', 'Seconds', 'State'],
      expect.arrayContaining([expect.stringMatching(/^-+$/)]),
      ['us-east-1', short, ...measured, '✅ published'],
      ['eu-west-1', short, ...measured, '❌ failed'],
      ['sa-east-1', short, ...measured, '⏸️ held back'],
    ]);
  });

  test('names heading, digest, tags, errors and images', () => {
    const lines = summaryOf(outcomeOf(results), 'Published team/app').split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        '### Published team/app',
        `Digest \`${digest}\`, tagged \`v1\`, \`latest\``,
        '- **eu-west-1**: it broke',
        '- `us-east-1.example/team/app:v1`',
      ]),
    );
  });

  test('says how ECR itself lists the release, once for the regions that agree', () => {
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    const saying = (size: number) => ({ described: { latest: { digest, mediaType, size } } });
    const text = summaryOf(
      outcomeOf([
        resultOf('us-east-1', saying(12_000_000)),
        resultOf('eu-west-1', saying(12_000_000)),
        resultOf('sa-east-1', saying(13_000_000)),
        resultOf('us-west-2'),
        resultOf('eu-north-1', { state: 'failed', ...saying(12_000_000) }),
      ]),
      'Published team/app',
    );
    const lines = text.split('\n').filter((line) => line.startsWith('ECR lists it'));
    expect(lines).toEqual([
      `ECR lists it as an image index (${mediaType}, 12.0 MB) in us-east-1, eu-west-1`,
      `ECR lists it as an image index (${mediaType}, 13.0 MB) in sa-east-1`,
    ]);
  });

  test('says of what ECR lists no more than it says', () => {
    const { mediaType } = imageOf('linux/amd64').root;
    const results = [
      resultOf('us-east-1', { described: { v1: { digest, mediaType } } }),
      resultOf('eu-west-1', { described: { v1: { digest } } }),
    ];
    const lines = summaryOf(outcomeOf(results), 'x')
      .split('\n')
      .filter((line) => line.startsWith('ECR lists'));
    expect(lines).toEqual([`ECR lists it as a single image (${mediaType}) in us-east-1`]);
  });

  test.each([
    [undefined, ''],
    [0, ', with 0 referrers'],
    [1, ', with 1 referrer'],
    [4, ', with 4 referrers'],
  ])('says how many referrers were carried: %p', (referrers, words) => {
    const outcome = { ...outcomeOf(results), ...(referrers !== undefined && { referrers }) };
    expect(summaryOf(outcome, 'Mirrored').split('\n')).toContain(
      `Digest \`${digest}\`, tagged \`v1\`, \`latest\`${words}`,
    );
  });

  test('says when there is no tag', () => {
    const text = summaryOf(outcomeOf([resultOf('us-east-1', { state: 'landed' })], []), 'Built team/app');
    expect(text).toContain(`Digest \`${digest}\`, by digest only`);
  });

  test.each([
    '<img src=x onerror=alert(1)>',
    '](https://evil.example) ![x](https://evil.example/x.png)',
    'a\n\n# heading\n- item\n| cell | cell |',
    '\r\n::set-output name=digest::evil',
    '`code` \\`and \\\\` **bold** __bold__',
  ])('keeps an error on its own line, as plain text: %p', (error) => {
    const lines = summaryOf(outcomeOf([resultOf('us-east-1', { state: 'failed', error })]), 'x').split('\n');
    const [line = '', ...more] = lines.filter((each) => each.startsWith('- '));
    expect(withoutEscapes(line.slice('- **us-east-1**: '.length))).not.toMatch(MARKUP);
    expect(more).toEqual([expect.stringMatching(/^- now in us-east-1: v1 shows /)]);
    expect(lines.some((each) => each.startsWith('::'))).toBe(false);
  });

  test('keeps any error on its own line, as plain text', () => {
    const plain = summaryOf(outcomeOf([resultOf('us-east-1', { state: 'failed', error: 'x' })]), 'x');
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (error) => {
        const text = summaryOf(outcomeOf([resultOf('us-east-1', { state: 'failed', error })]), 'x');
        expect(text.split(/[\r\n]/)).toHaveLength(plain.split('\n').length);
        const line = text.split('\n').find((each) => each.startsWith('- **us-east-1**: ')) ?? '`';
        expect(withoutEscapes(line.slice('- **us-east-1**: '.length))).not.toMatch(MARKUP);
      }),
    );
  });

  test('keeps what an image says of its platform in its cell, as plain text', () => {
    const platforms = ['linux | <b>/amd64', 'a`b`\nc/arm64'];
    const lines = summaryOf(outcomeOf([resultOf('us-east-1', { platforms })]), 'x').split('\n');
    const row = lines.find((line) => line.startsWith('| us-east-1')) ?? '';
    expect(withoutEscapes(row).split('|')).toHaveLength(9);
    expect(withoutEscapes(row).split('|')[3]).not.toMatch(MARKUP);
  });
});

describe('the images', () => {
  test('are every tag in every region that shows the release', () => {
    const outcome = outcomeOf([
      resultOf('us-east-1'),
      resultOf('eu-west-1', { state: 'unchanged' }),
      resultOf('sa-east-1', { state: 'held back' }),
      resultOf('us-west-2', { state: 'failed' }),
    ]);
    expect(imagesOf(outcome)).toEqual([
      'us-east-1.example/team/app:v1',
      'us-east-1.example/team/app:latest',
      'eu-west-1.example/team/app:v1',
      'eu-west-1.example/team/app:latest',
    ]);
  });

  test('are named by digest when there is no tag', () => {
    expect(imagesOf(outcomeOf([resultOf('us-east-1', { state: 'landed' })], []))).toEqual([
      `us-east-1.example/team/app@${digest}`,
    ]);
  });
});

test('the log has one line for a result', () => {
  expect(resultLine(resultOf('us-east-1'))).toBe(
    `us-east-1: published: ${digest} (sent 12.4 MB, reused 812 B, 3.5 s)`,
  );
});

test.each([
  [0, '0 B'],
  [812, '812 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [12_400_000, '12.4 MB'],
  [999_400, '999 kB'],
  [5_000_000_000_000_000, '5000 TB'],
])('%p bytes are written %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

describe('a tag that was kept', () => {
  const other = digestOf(Buffer.from('other'));
  const outcome = outcomeOf([resultOf('us-east-1', { tags: { v1: other, latest: digest } })]);

  test('is told of, with what it shows', () => {
    expect(keptLines(outcome)).toEqual([`v1 was kept: it shows ${other}, not ${digest}`]);
    expect(summaryOf(outcome, 'Published')).toContain(`Digest \`${digest}\`, tagged \`latest\`\n`);
    expect(summaryOf(outcome, 'Published')).toContain('- v1 was kept: it shows sha256');
  });

  test('is none of the images', () => {
    expect(imagesOf(outcome)).toEqual(['us-east-1.example/team/app:latest']);
  });
});

describe('where nothing was pushed', () => {
  const unpushed = (destination: string, tags: Result['tags'] = { v1: digest, 'v1-arm64': digest }) =>
    resultOf(destination, { state: 'not pushed', tags, sent: 0, reused: 0 });

  test('the summary says so, and under which names a push would publish', () => {
    const outcome = outcomeOf([unpushed('us-east-1'), unpushed('eu-west-1')], ['v1']);
    const lines = summaryOf(outcome, 'Checked, not pushed: team/app').split('\n');
    expect(lines).toContain(`Digest \`${digest}\`, to be tagged \`v1\`, and beside it \`v1-arm64\``);
    expect(lines.filter((line) => line.endsWith('not pushed |'))).toHaveLength(2);
    const names = lines.slice(lines.findIndex((line) => line.startsWith('**Nothing was pushed**')));
    expect(names.slice(1)).toEqual([
      '',
      '- `us-east-1.example/team/app:v1`',
      '- `us-east-1.example/team/app:v1-arm64`',
      '- `eu-west-1.example/team/app:v1`',
      '- `eu-west-1.example/team/app:v1-arm64`',
      '',
    ]);
  });

  test('the summary names what has no tag by its digest', () => {
    const text = summaryOf(outcomeOf([unpushed('us-east-1', {})], []), 'Checked, not pushed: team/app');
    expect(text).toContain(`- \`us-east-1.example/team/app@${digest}\``);
    expect(text).toContain(', by digest only');
  });

  test('there are no images', () => {
    expect(imagesOf(outcomeOf([unpushed('us-east-1')]))).toEqual([]);
  });

  test('and a push would have failed, nothing is said to be published by it', () => {
    const failed = resultOf('eu-west-1', { state: 'failed', tags: {}, error: 'it is refused' });
    const text = summaryOf(outcomeOf([unpushed('us-east-1'), failed]), 'Checked, not pushed: team/app');
    expect(text).toContain('it is refused');
    expect(text).toContain(', to be tagged `v1`');
    expect(text).not.toMatch(/\bshows?\b/);
    expect(text).not.toContain('us-east-1.example');
  });
});

test('the summary of a step that published nothing has its problems, one a line', () => {
  expect(failureSummary('- one\n- two')).toBe('### Nothing was published\n\n- one\n- two\n');
  expect(failureSummary('one', 'Nobody knows')).toBe('### Nobody knows\n\n- one\n');
  expect(failureSummary('only <one>')).toContain('- only \\<one\\>');
});
