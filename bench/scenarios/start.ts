import { createServer } from 'node:http';
import { join } from 'node:path';
import { writeLayout } from '../../demo/image.ts';
import { parsePlatform } from '../../src/image/platform.ts';
import type { Contest } from '../report/contest.ts';
import { timed } from '../subjects/timed.ts';
import { REPOSITORY } from '../world/builder.ts';
import type { Setting } from './setting.ts';

/** How long it takes until the action does something, beside what Node itself takes. */
export async function coldStart(setting: Setting): Promise<Contest> {
  const layout = join(setting.dir, 'start');
  await writeLayout(layout, parsePlatform('linux/amd64'));
  return {
    title: 'Cold start',
    contenders: [
      {
        name: 'node -e 0',
        run: async () => (await timed({ command: process.execPath, args: ['-e', '0'], env: {} })).seconds,
      },
      {
        name: 'ours, to the error of missing inputs',
        run: async () => (await setting.action.run({ inputs: {}, apiEndpoint: '', expect: [1] })).seconds,
      },
      { name: 'ours, to the first request', run: () => untilFirstRequest(setting, layout) },
    ],
    ratios: [
      { of: 'ours, to the error of missing inputs', over: 'node -e 0' },
      { of: 'ours, to the first request', over: 'node -e 0' },
    ],
  };
}

/** Every request is refused, for good, so that the step ends by itself. */
async function untilFirstRequest({ action }: Setting, layout: string): Promise<number> {
  let arrivedAt: number | undefined;
  const server = createServer((_request, response) => {
    arrivedAt ??= performance.now();
    response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify({ __type: 'AccessDeniedException', message: 'no' }));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const inputs = { 'oci-layout': layout, legs: 'none', repository: REPOSITORY, regions: 'us-east-1' };
  const startedAt = performance.now();
  try {
    await action.run({ inputs, apiEndpoint: `http://127.0.0.1:${port}`, expect: [1] });
  } finally {
    server.close();
    server.closeAllConnections();
  }
  if (arrivedAt === undefined) throw new Error('the action sent no request');
  return (arrivedAt - startedAt) / 1000;
}
