import type { IncomingMessage, ServerResponse } from 'node:http';
import { answer } from '../../src/distribution/server/answers.ts';
import { operationOf, signatureScope } from '../addresses.ts';
import { EcrError } from '../errors.ts';
import type { Call, Operation, Service } from './call.ts';
import { IMAGE_OPERATIONS } from './images.ts';
import { LAYER_OPERATIONS } from './layers.ts';
import { REGISTRY_OPERATIONS } from './registries.ts';
import { REPOSITORY_OPERATIONS } from './repositories.ts';

const OPERATIONS: ReadonlyMap<string, Operation> = new Map(
  Object.entries({
    ...REGISTRY_OPERATIONS,
    ...REPOSITORY_OPERATIONS,
    ...LAYER_OPERATIONS,
    ...IMAGE_OPERATIONS,
  }),
);

/** The most that one request has: a layer's part of 20 MiB in base64, and room for the rest, in bytes. */
const MAXIMUM_BODY = 32 * 1024 * 1024;

/** Whose access keys are whose; without it, any key is the first account's. */
export type AccessKeys = Readonly<Record<string, string>> | undefined;

/**
 * A handler of ECR's JSON API (AWS JSON 1.1) for the region that the request's signature names, whichever port it
 * came to.
 */
export function createApiHandler(
  service: Service,
  accessKeys: AccessKeys,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    request.on('error', () => {});
    response.on('error', () => {});
    const respond = (status: number, body: unknown) =>
      answer(
        { request, response },
        status,
        { 'Content-Type': 'application/x-amz-json-1.1' },
        JSON.stringify(body),
      );
    try {
      await respond(200, await dispatch(request, service, accessKeys));
    } catch (error) {
      if (request.socket.destroyed) response.destroy();
      else if (error instanceof EcrError) {
        const { exception, message, fields } = error;
        await respond(400, { __type: exception, message, ...fields });
      } else
        await respond(500, {
          __type: 'ServerException',
          message: 'The emulator failed to handle the request',
        });
    }
  };
}

async function dispatch(
  request: IncomingMessage,
  service: Service,
  accessKeys: AccessKeys,
): Promise<unknown> {
  const call = callOf(request, service, accessKeys);
  const name = operationOf(request) ?? '';
  const run = OPERATIONS.get(name);
  if (!run) throw new EcrError('UnknownOperationException', `The emulator has no operation "${name}"`);
  return run(await readJson(request), call);
}

function callOf(request: IncomingMessage, service: Service, accessKeys: AccessKeys): Call {
  const { authorization } = request.headers;
  if (authorization === undefined) {
    throw new EcrError('MissingAuthenticationTokenException', 'Missing Authentication Token');
  }
  const scope = signatureScope(authorization);
  if (!scope) throw new EcrError('UnrecognizedClientException', 'The request has no signature of version 4');
  if (scope.service !== 'ecr') {
    throw new EcrError('InvalidSignatureException', "Credential should be scoped to correct service: 'ecr'.");
  }
  const account = accessKeys ? accessKeys[scope.accessKey] : service.cloud.accounts[0];
  const { regions } = service.cloud;
  if (account === undefined) {
    throw new EcrError(
      'UnrecognizedClientException',
      'The security token included in the request is invalid.',
    );
  }
  if (!regions.includes(scope.region)) {
    throw new EcrError(
      'UnrecognizedClientException',
      `The security token included in the request is invalid: the emulator has no region ${scope.region}, only ${regions.join(', ')}`,
    );
  }
  return { service, account, region: scope.region };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MAXIMUM_BODY) throw new EcrError('SerializationException', 'The request is too large');
    chunks.push(bytes);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString() || '{}');
  } catch {
    throw new EcrError('SerializationException', 'The request is not JSON');
  }
}
