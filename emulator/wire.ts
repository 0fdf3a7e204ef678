import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * What may go wrong on the way, to a request that is carried out or to its answer:
 * - `cut request`: the connection is reset when half of the request's body has come, and nothing is carried out;
 * - `cut answer`: it is reset when half of the answer's body has gone; `short answer` ends it there in good order;
 * - `cut head`: it is ended in the middle of the answer's status line;
 * - `silence`: nothing is read and nothing is answered;
 * - `dripping answer`: a byte comes now and then;
 * - `slow answer`: it comes in pieces, with pauses between them;
 * - `wrong request`, `wrong answer`: a byte of the body is another one;
 * - `less declared`, `more declared`: the answer's content-length is not that of its body, and the connection stays open.
 */
export type WireFault =
  | 'cut request'
  | 'cut answer'
  | 'short answer'
  | 'cut head'
  | 'silence'
  | 'dripping answer'
  | 'slow answer'
  | 'wrong request'
  | 'wrong answer'
  | 'less declared'
  | 'more declared';

/** The pause between two pieces of a slow answer, in milliseconds. */
const PAUSE = 10;
/** The pause between two bytes of an answer that drips, in milliseconds: even an empty list takes more than a second. */
const DRIP = 12;
/** How long a black hole reads nothing, in milliseconds. */
const UNREAD = 2_000;
/** The pieces of a slow answer. */
const PIECES = 8;

/** Lets a body in that was held back, as it is or changed. */
export type LetIn = (change?: (chunk: Buffer) => Buffer) => void;

/** How many pieces of a body are held back, at the most. */
const MOST_HELD = 16;

/** Holds a request's body back until it is known what is to become of it. */
export function holdBody(request: IncomingMessage): LetIn {
  const push = request.push.bind(request);
  const held: Parameters<typeof push>[] = [];
  request.push = (...piece) => {
    held.push(piece);
    return held.length < MOST_HELD;
  };
  return (change = (chunk) => chunk) => {
    request.push = (chunk: unknown, encoding) =>
      push(Buffer.isBuffer(chunk) ? change(chunk) : chunk, encoding);
    for (const piece of held.splice(0)) request.push(...piece);
  };
}

/**
 * Has something go wrong with an exchange whose body is held back.
 * @returns whether the request is to be carried out
 */
export function spoil(
  fault: WireFault,
  { request, response, letIn }: { request: IncomingMessage; response: ServerResponse; letIn: LetIn },
): boolean {
  switch (fault) {
    case 'silence':
      // Who reads nothing does not see a connection's end either.
      setTimeout(() => {
        letIn();
        request.resume();
      }, UNREAD).unref();
      return false;
    case 'cut request':
      letIn();
      cutRequest(request);
      return false;
    case 'wrong request':
      letIn(wrongOnce());
      return true;
    default:
      letIn();
      holdAnswer(request.socket, response, (answer) => send(fault, request.socket, answer));
      return true;
  }
}

function cutRequest(request: IncomingMessage): void {
  let left = Number(request.headers['content-length'] ?? 0) / 2;
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left <= 0) request.socket.resetAndDestroy();
  });
  request.on('error', () => undefined);
}

/** Changes the last byte of the first piece that comes. */
function wrongOnce(): (chunk: Buffer) => Buffer {
  let isDone = false;
  return (chunk) => {
    if (isDone || chunk.length === 0) return chunk;
    isDone = true;
    return changedAt(chunk, chunk.length - 1);
  };
}

function changedAt(bytes: Buffer, position: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[position] = (changed[position] ?? 0) ^ 1;
  return changed;
}

/** An answer as it would have gone over the connection. */
interface WholeAnswer {
  /** Up to and with the empty line. */
  readonly head: Buffer;
  readonly body: Buffer;
}

/** Keeps the bytes of an answer until there are no more, and hands them on. */
function holdAnswer(
  socket: Socket,
  response: ServerResponse,
  handOn: (answer: WholeAnswer) => unknown,
): void {
  const pieces: Buffer[] = [];
  const write = socket.write;
  const hold = (chunk: unknown, ...rest: unknown[]): boolean => {
    const [encoding] = rest;
    pieces.push(
      typeof chunk === 'string'
        ? Buffer.from(chunk, typeof encoding === 'string' && Buffer.isEncoding(encoding) ? encoding : 'utf8')
        : Buffer.from(chunk instanceof Uint8Array ? chunk : []),
    );
    const written = rest.at(-1);
    if (typeof written === 'function') process.nextTick(() => written());
    return true;
  };
  socket.write = hold;
  // Before the server's own listener, which may end the connection.
  response.prependOnceListener('finish', () => {
    socket.write = write;
    const bytes = Buffer.concat(pieces);
    const end = bytes.indexOf('\r\n\r\n') + 4;
    handOn({ head: bytes.subarray(0, end), body: bytes.subarray(end) });
  });
}

function send(
  fault: Exclude<WireFault, 'silence' | 'cut request' | 'wrong request'>,
  socket: Socket,
  { head, body }: WholeAnswer,
): void {
  const half = body.subarray(0, body.length / 2);
  switch (fault) {
    case 'cut answer':
      // What is still on its way when a connection is reset may be lost.
      socket.write(Buffer.concat([head, half]), () => setTimeout(() => socket.resetAndDestroy(), PAUSE));
      return;
    case 'short answer':
      socket.end(Buffer.concat([head, half]));
      return;
    case 'cut head':
      socket.end(head.subarray(0, head.indexOf('\r\n') - 4));
      return;
    case 'wrong answer':
      socket.write(Buffer.concat([head, body.length > 0 ? changedAt(body, half.length) : body]));
      return;
    case 'less declared':
      socket.write(Buffer.concat([declaring(head, Math.max(0, body.length - 3)), body]));
      return;
    case 'more declared':
      socket.write(Buffer.concat([declaring(head, body.length + 3), body]));
      return;
    case 'slow answer':
      drip(socket, Buffer.concat([head, body]), (head.length + body.length) / PIECES, PAUSE);
      return;
    case 'dripping answer':
      socket.write(head);
      drip(socket, body, 1, DRIP);
      return;
  }
}

function declaring(head: Buffer, length: number): Buffer {
  return Buffer.from(head.toString('latin1').replace(/(content-length: )\d+/i, `$1${length}`), 'latin1');
}

function drip(socket: Socket, bytes: Buffer, size: number, pause: number): void {
  if (bytes.length === 0 || socket.destroyed) return;
  socket.write(bytes.subarray(0, Math.ceil(size)));
  setTimeout(() => drip(socket, bytes.subarray(Math.ceil(size)), size, pause), pause).unref();
}
