import type { IncomingMessage, ServerResponse } from 'node:http';
import { answer } from '../../src/distribution/server/answers.ts';
import { sessionTokenOf, signatureScope, targetOf } from '../addresses.ts';
import { EcrError } from '../errors.ts';
import { operationsOf } from '../operations.ts';
import { ACCOUNT_SETTING_OPERATIONS } from './accountSettings.ts';
import type { Call, Operation, Service } from './call.ts';
import { IMAGE_OPERATIONS } from './images.ts';
import { LAYER_OPERATIONS } from './layers.ts';
import { POLICY_OPERATIONS } from './policies.ts';
import { REGISTRY_OPERATIONS } from './registries.ts';
import { REPOSITORY_OPERATIONS } from './repositories.ts';
import { TAG_OPERATIONS } from './resourceTags.ts';
import { TEMPLATE_OPERATIONS } from './templates.ts';

/** One of ECR's JSON APIs. */
export interface JsonApi {
  /** What the signatures of its requests are scoped to. */
  readonly name: 'ecr' | 'ecr-public';
  readonly operations: ReadonlyMap<string, Operation>;
}

/** The API of private registries. */
export const ECR_API: JsonApi = {
  name: 'ecr',
  operations: new Map(
    Object.entries({
      ...REGISTRY_OPERATIONS,
      ...ACCOUNT_SETTING_OPERATIONS,
      ...TEMPLATE_OPERATIONS,
      ...REPOSITORY_OPERATIONS,
      ...POLICY_OPERATIONS,
      ...TAG_OPERATIONS,
      ...LAYER_OPERATIONS,
      ...IMAGE_OPERATIONS,
    }),
  ),
};

/** The most that one request has: a layer's part of 20 MiB in base64, and room for the rest, in bytes. */
const MAXIMUM_BODY = 32 * 1024 * 1024;

/**
 * A handler of one of ECR's JSON APIs (AWS JSON 1.1) for the region that the request's signature names, whichever port
 * it came to.
 */
export function createApiHandler(
  service: Service,
  api: JsonApi,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    request.on('error', () => {});
    response.on('error', () => {});
    const respond = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
      answer(
        { request, response },
        status,
        { 'Content-Type': 'application/x-amz-json-1.1', ...headers },
        JSON.stringify(body),
      );
    try {
      await respond(200, await dispatch(request, service, api));
    } catch (error) {
      if (request.socket.destroyed) response.destroy();
      else if (error instanceof EcrError) {
        const { exception, message, fields, headers } = error;
        await respond(400, { __type: exception, message, ...fields }, headers);
      } else
        await respond(500, {
          __type: 'ServerException',
          message: 'The emulator failed to handle the request',
        });
    }
  };
}

async function dispatch(request: IncomingMessage, service: Service, api: JsonApi): Promise<unknown> {
  const call = callOf(request, service, api);
  const target = targetOf(request);
  const name = target?.service === api.name ? target.operation : '';
  const run = api.operations.get(name);
  if (!run) throw new EcrError('UnknownOperationException', `The emulator has no operation "${name}"`);
  const input = await readJson(request);
  service.access.admit(request, operationsOf(request, input), { principal: call.principal, registry: call });
  return run(input, call);
}

function callOf(request: IncomingMessage, service: Service, api: JsonApi): Call {
  const { authorization } = request.headers;
  if (authorization === undefined) {
    throw new EcrError('MissingAuthenticationTokenException', 'Missing Authentication Token');
  }
  const scope = signatureScope(authorization);
  if (!scope) throw new EcrError('UnrecognizedClientException', 'The request has no signature of version 4');
  if (scope.service !== api.name) {
    const message = `Credential should be scoped to correct service: '${api.name}'.`;
    throw new EcrError('InvalidSignatureException', message);
  }
  const { accessKey, region } = scope;
  const principal = service.principals.signer({ accessKey, region, token: sessionTokenOf(request) });
  if (principal === 'invalid') {
    throw new EcrError(
      'UnrecognizedClientException',
      'The security token included in the request is invalid.',
    );
  }
  if (principal === 'expired') {
    throw new EcrError('ExpiredTokenException', 'The security token included in the request is expired');
  }
  const { regions } = service.cloud;
  if (!regions.includes(region)) {
    throw new EcrError(
      'UnrecognizedClientException',
      `The security token included in the request is invalid: the emulator has no region ${region}, only ${regions.join(', ')}`,
    );
  }
  return { service, principal, account: principal.account, region };
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
