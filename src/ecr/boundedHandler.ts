import { pipeline, Readable, Transform } from 'node:stream';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/** The most that an answer may have, in bytes: ECR's longest, a page of templates with their policies, have less than a tenth. */
const MOST = 16 * 1024 * 1024;

/** Sends the requests of the SDK's clients. The SDK itself would keep in memory whatever an answer has. */
export class BoundedHandler extends NodeHttpHandler {
  override async handle(
    ...args: Parameters<NodeHttpHandler['handle']>
  ): ReturnType<NodeHttpHandler['handle']> {
    const { response } = await super.handle(...args);
    if (response.body instanceof Readable) response.body = bounded(response.body);
    return { response };
  }
}

/** The same stream, which fails as soon as it has too much. */
function bounded(body: Readable): Readable {
  let length = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _, done) {
      length += chunk.length;
      if (length > MOST) done(new Error(`the answer has more than ${MOST} bytes`));
      else done(null, chunk);
    },
  });
  // The error of either reaches the reader through the last one.
  return pipeline(body, counted, () => undefined);
}
