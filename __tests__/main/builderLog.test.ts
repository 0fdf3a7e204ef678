import { expect, test } from '@jest/globals';
import { runStep } from './step.ts';

test.each([
  ['soon', undefined, '20'],
  ['as the job says, if it says so', '500', '500'],
])('buildx shows the lines of its log %s', async (_, said, told) => {
  await runStep({ mode: 'plan', platforms: 'linux/amd64' }, { TTY_DISPLAY_RATE: said });
  expect(process.env.TTY_DISPLAY_RATE).toBe(told);
});
