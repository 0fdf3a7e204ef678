import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Fields, json, optionalText, parse, Refusal, text } from './twirp.ts';

export interface ArtifactService {
  /** For ACTIONS_RESULTS_URL. */
  url: string;
  /**
   * For ACTIONS_RUNTIME_TOKEN. Jobs of one run see each other's artifacts, in whichever attempt
   * they were uploaded; within one attempt of a run a name can be used once.
   */
  token(runId: string, jobId: string, attempt?: number): string;
  close(): Promise<void>;
}

interface Artifact {
  id: number;
  runId: string;
  jobId: string;
  attempt: number;
  name: string;
  createdAt: Date;
  blocks: Map<string, Buffer>;
  content: Buffer;
  contentType: string;
  digest: string | undefined;
  finalized: boolean;
}

interface Caller {
  runId: string;
  jobId: string;
  attempt: number;
}

type Method = (caller: Caller, request: Fields) => Record<string, unknown>;

/**
 * Starts a stand-in for GitHub's artifact service, for @actions/artifact in a workflow that runs on
 * this machine: the Twirp methods of the results service, and the part of Azure's block blob API
 * that uploads and downloads use. Everything is kept in memory; it listens on loopback only.
 */
export async function startArtifactService(): Promise<ArtifactService> {
  const key = randomBytes(32);
  const sign = (text: string) => createHmac('sha256', key).update(text).digest('base64url');
  const artifacts: Artifact[] = [];
  let origin = '';

  const methods: Record<string, Method> = {
    CreateArtifact(caller, request) {
      const name = text(request, 'name');
      const taken = artifacts.some(
        (other) => other.runId === caller.runId && other.attempt === caller.attempt && other.name === name,
      );
      if (taken) {
        const message = 'an artifact with this name already exists on the workflow run';
        throw new Refusal(409, 'already_exists', message);
      }
      const artifact: Artifact = {
        ...caller,
        id: artifacts.reduce((highest, { id }) => Math.max(highest, id), 0) + 1,
        name,
        createdAt: new Date(),
        blocks: new Map(),
        content: Buffer.alloc(0),
        contentType: 'application/octet-stream',
        digest: undefined,
        finalized: false,
      };
      artifacts.push(artifact);
      return { ok: true, signed_upload_url: signedUrl(artifact) };
    },

    FinalizeArtifact(caller, request) {
      const artifact = named(caller, text(request, 'name'), false);
      const size = Number(text(request, 'size'));
      if (size !== artifact.content.length) {
        const message = `${artifact.content.length} bytes arrived, not ${size}`;
        throw new Refusal(400, 'invalid_argument', message);
      }
      artifact.digest = optionalText(request, 'hash');
      artifact.finalized = true;
      return { ok: true, artifact_id: String(artifact.id) };
    },

    ListArtifacts(caller, request) {
      const name = optionalText(request, 'name_filter');
      const id = optionalText(request, 'id_filter');
      const found = artifacts.filter(
        (artifact) =>
          artifact.finalized &&
          artifact.runId === caller.runId &&
          (name === undefined || artifact.name === name) &&
          (id === undefined || String(artifact.id) === id),
      );
      return { artifacts: found.map(describe) };
    },

    GetSignedArtifactURL(caller, request) {
      return { signed_url: signedUrl(named(caller, text(request, 'name'), true)) };
    },

    DeleteArtifact(caller, request) {
      const artifact = named(caller, text(request, 'name'), true);
      artifacts.splice(artifacts.indexOf(artifact), 1);
      return { ok: true, artifact_id: String(artifact.id) };
    },
  };

  /** The newest artifact of the run with that name. */
  function named(caller: Caller, name: string, finalized: boolean): Artifact {
    const found = artifacts.findLast(
      (artifact) =>
        artifact.runId === caller.runId && artifact.name === name && artifact.finalized === finalized,
    );
    if (found === undefined) throw new Refusal(404, 'not_found', 'artifact not found');
    return found;
  }

  /** The azure client wants an account, a container and a blob in the path. */
  function signedUrl({ id }: Artifact): string {
    return `${origin}/account/artifacts/${id}?sig=${sign(`blob ${id}`)}`;
  }

  function callerOf(request: IncomingMessage): Caller {
    const [head = '', claims = '', signature = ''] = (request.headers.authorization ?? '')
      .replace(/^Bearer /, '')
      .split('.');
    if (!same(signature, sign(`${head}.${claims}`))) {
      throw new Refusal(401, 'unauthenticated', 'not a token of this service');
    }
    const claimed = parse(Buffer.from(claims, 'base64url').toString());
    const [, runId = '', jobId = ''] = text(claimed, 'scp').split(':');
    return { runId, jobId, attempt: Number(text(claimed, 'attempt')) };
  }

  async function twirp(method: Method, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const caller = callerOf(request);
    const fields = parse((await body(request)).toString());
    if (text(fields, 'workflow_run_backend_id') !== caller.runId) {
      throw new Refusal(403, 'permission_denied', "another run's id");
    }
    json(response, 200, method(caller, fields));
  }

  async function blob(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = url.pathname.split('/').at(-1) ?? '';
    const artifact = artifacts.find((other) => String(other.id) === id);
    if (artifact === undefined || !same(url.searchParams.get('sig') ?? '', sign(`blob ${id}`))) {
      throw new Refusal(403, 'AuthenticationFailed', 'the signature fits no blob');
    }
    if (request.method === 'GET') {
      const file = artifact.contentType === 'application/zip' ? `${artifact.name}.zip` : artifact.name;
      response.writeHead(200, {
        'content-type': artifact.contentType,
        'content-length': artifact.content.length,
        'content-disposition': `attachment; filename="${file}"`,
      });
      response.end(artifact.content);
      return;
    }
    const content = await body(request);
    if (url.searchParams.get('comp') === 'block') {
      artifact.blocks.set(url.searchParams.get('blockid') ?? '', content);
    } else if (url.searchParams.get('comp') === 'blocklist') {
      const ids = content.toString().matchAll(/<(?:Latest|Uncommitted|Committed)>([^<]*)</g);
      artifact.content = Buffer.concat([...ids].map(([, block = '']) => blockOf(artifact, block)));
      artifact.contentType = String(request.headers['x-ms-blob-content-type'] ?? artifact.contentType);
    } else {
      throw new Refusal(400, 'InvalidQueryParameterValue', 'neither a block nor a list of blocks');
    }
    response.writeHead(201, { 'content-length': 0 }).end();
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', origin);
    const service = '/twirp/github.actions.results.api.v1.ArtifactService/';
    if (!url.pathname.startsWith(service)) return blob(url, request, response);
    const method = methods[url.pathname.slice(service.length)];
    if (method === undefined) throw new Refusal(404, 'bad_route', `no method ${url.pathname}`);
    return twirp(method, request, response);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const refusal = error instanceof Refusal ? error : new Refusal(500, 'internal', String(error));
      json(response, refusal.status, { code: refusal.code, msg: refusal.message });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  origin = `http://127.0.0.1:${address.port}`;

  return {
    url: `${origin}/`,
    token(runId, jobId, attempt = 1) {
      const claims = { scp: `Actions.Results:${runId}:${jobId}`, attempt: String(attempt) };
      const unsigned = [{ alg: 'HS256', typ: 'JWT' }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.');
      return `${unsigned}.${sign(unsigned)}`;
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function describe(artifact: Artifact): Record<string, unknown> {
  return {
    workflow_run_backend_id: artifact.runId,
    workflow_job_run_backend_id: artifact.jobId,
    database_id: String(artifact.id),
    name: artifact.name,
    size: String(artifact.content.length),
    created_at: artifact.createdAt.toISOString(),
    ...(artifact.digest === undefined ? {} : { digest: artifact.digest }),
  };
}

function blockOf(artifact: Artifact, id: string): Buffer {
  const block = artifact.blocks.get(id);
  if (block === undefined) throw new Refusal(400, 'InvalidBlockList', `no block ${id}`);
  return block;
}

function same(given: string, wanted: string): boolean {
  return given.length === wanted.length && timingSafeEqual(Buffer.from(given), Buffer.from(wanted));
}

async function body(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
