import { expect, test } from '@jest/globals';
import { everywhere, mirror } from '../facts/act.ts';
import { emulate } from '../support/emulated.ts';
import { imageOf, indexOf } from '../support/images.ts';

const graph = indexOf([imageOf('linux/amd64'), imageOf('linux/arm64')]);

test('without ecr:DescribeImages a release is published all the same, and the log says what to allow', async () => {
  await emulate({
    principals: {
      AKIDTEST: {
        account: '123456789012',
        policy: [
          { effect: 'Allow', actions: ['*'], resources: ['*'] },
          { effect: 'Deny', actions: ['ecr:DescribeImages'], resources: ['*'] },
        ],
      },
    },
  });
  const said: string[] = [];
  const services = (own: { log: { warn(message: string): void } }) => ({
    log: {
      ...own.log,
      info: (line: string) => said.push(line),
      group: <T>(_: string, step: () => Promise<T>) => step(),
      during: <T>(_: () => string, step: () => Promise<T>) => step(),
    },
  });
  const { states, outcome } = await mirror(graph, {}, { services });
  expect(states).toEqual(everywhere('published'));
  for (const result of outcome.results) expect(result).not.toHaveProperty('described');
  expect(said.filter((line) => /ecr:DescribeImages on \S*repository\/team\/app/.test(line))).toHaveLength(3);
});
