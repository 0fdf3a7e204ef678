import type { IncomingMessage, ServerResponse } from 'node:http';
import { answer } from '../../src/distribution/server/answers.ts';
import { type Scope, sessionTokenOf, signatureScope } from '../addresses.ts';
import type { Principal, Principals } from '../iam/principals.ts';
import type { Roles } from '../iam/roles.ts';
import { requestId, type TrafficLog } from '../traffic.ts';
import { StsError } from './errors.ts';
import { STS_OPERATIONS } from './operations.ts';
import { type Fields, queryAnswer, queryError } from './xml.ts';

const VERSION = '2011-06-15';

/** The most that one call has, in bytes. */
const MAXIMUM_BODY = 256 * 1024;

/** What STS works on. */
export interface StsService {
  readonly principals: Principals;
  readonly roles: Roles;
  readonly log: TrafficLog;
  /** The clock, in epoch milliseconds. */
  readonly now: () => number;
}

/**
 * A handler of STS's query protocol, for the region that the request's signature names.
 * https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html
 * @param portRegion the region of a request that is not signed
 */
export function createStsHandler(
  portRegion: string,
  service: StsService,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    request.on('error', () => {});
    response.on('error', () => {});
    const id = requestId(response);
    const respond = (status: number, body: string) =>
      answer({ request, response }, status, { 'Content-Type': 'text/xml' }, body);
    try {
      const { operation, result } = await dispatch(request, portRegion, service);
      await respond(200, queryAnswer(operation, { result, id }));
    } catch (error) {
      if (request.socket.destroyed) response.destroy();
      else if (error instanceof StsError) {
        const { status, code, message } = error;
        await respond(status, queryError({ status, code, message, id }));
      } else {
        const message = 'The emulator failed to handle the request';
        await respond(500, queryError({ status: 500, code: 'InternalFailure', message, id }));
      }
    }
  };
}

async function dispatch(
  request: IncomingMessage,
  portRegion: string,
  service: StsService,
): Promise<{ operation: string; result: Fields }> {
  const parameters = new Map(new URLSearchParams(await readText(request)));
  const operation = parameters.get('Action') ?? '';
  const version = parameters.get('Version') ?? '';
  const run = version === VERSION ? STS_OPERATIONS.get(operation) : undefined;
  if (!run) {
    const message = `Could not find operation ${operation} for version ${version}`;
    throw new StsError(400, 'InvalidAction', message);
  }
  service.log.tell(request, { operation });
  const scope = signatureScope(request.headers.authorization);
  const result = run({
    ...service,
    parameters,
    region: scope?.region ?? portRegion,
    signer: () => signerOf(request, scope, service.principals),
    needs: (resource) => service.log.tell(request, { needed: [{ action: `sts:${operation}`, resource }] }),
  });
  return { operation, result };
}

function signerOf(request: IncomingMessage, scope: Scope | undefined, principals: Principals): Principal {
  if (!scope) {
    throw new StsError(403, 'MissingAuthenticationToken', 'Request is missing Authentication Token');
  }
  if (scope.service !== 'sts') {
    const message = "Credential should be scoped to correct service: 'sts'.";
    throw new StsError(403, 'SignatureDoesNotMatch', message);
  }
  const principal = principals.signer({ ...scope, token: sessionTokenOf(request) });
  if (principal === 'invalid') {
    const message = 'The security token included in the request is invalid.';
    throw new StsError(403, 'InvalidClientTokenId', message);
  }
  if (principal === 'expired') {
    throw new StsError(403, 'ExpiredToken', 'The security token included in the request is expired');
  }
  return principal;
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MAXIMUM_BODY) throw new StsError(400, 'MalformedInput', 'The request is too large');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString();
}
