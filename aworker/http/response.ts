import { Buffer } from 'node:buffer';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type PlainResponse } from '../views/plain-response.js';

/** A stream that has its second chunk (or its end) ready within so many microtasks is sent with a Content-Length. */
const PROMPT_TICKS = 4;

function hasNullBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

/** What only the connection's two ends say to each other: the server's own business. */
function isOurs(name: string, value: string): boolean {
  switch (name) {
    case 'transfer-encoding':
    case 'keep-alive':
    case 'upgrade':
    case 'trailer':
      return true;
    case 'connection':
      return value.toLowerCase() !== 'close';
    default:
      return false;
  }
}

interface Head {
  readonly flat: string[];
  /** The Content-Length that the worker has set. */
  readonly length: number | undefined;
}

/** Takes out what the worker cannot decide; a Content-Length is the sender's to keep. */
function head(flat: readonly string[]): Head {
  const kept: string[] = [];
  let length: number | undefined;
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = flat[i] ?? '';
    const value = flat[i + 1] ?? '';
    if (name === 'content-length') length = /^\d{1,15}$/.test(value) ? Number(value) : undefined;
    else if (!isOurs(name, value)) kept.push(name, value);
  }
  return { flat: kept, length };
}

function start(
  out: ServerResponse,
  status: number,
  statusText: string,
  flat: string[],
  length?: number,
): void {
  if (length !== undefined) flat.push('content-length', String(length));
  if (statusText === '') out.writeHead(status, flat);
  else out.writeHead(status, statusText, flat);
}

/** Sends a response made from text or bytes: at once, and in one piece. */
export function sendPlain(response: PlainResponse, message: IncomingMessage, out: ServerResponse): void {
  if (response.bodyUsed) throw new TypeError('The body of the response was already used');
  const { status, statusText, body } = response;
  const { flat, length } = head(response.flatHeaders());
  response.markSent();
  if (body === null) {
    const stated = message.method === 'HEAD' ? length : 0;
    start(out, status, statusText, flat, hasNullBody(status) && status !== 205 ? undefined : stated);
    out.end();
    return;
  }
  const bytes = Buffer.byteLength(body);
  start(out, status, statusText, flat, bytes);
  if (message.method !== 'HEAD' && typeof body === 'string' && bytes === body.length && joinHead(out, body))
    out.end();
  else out.end(body);
}

/**
 * Puts an ASCII body behind the head that Node has prepared, so that both leave in one write(2): a body given to `end` costs a writev(2), which takes a
 * fifth of the time of a small answer. Node keeps the head in `_header` until it sends it; where it does not, false.
 */
function joinHead(out: ServerResponse, body: string): boolean {
  const prepared: unknown = Reflect.get(out, '_header');
  return typeof prepared === 'string' && Reflect.set(out, '_header', prepared + body);
}

/** Resolves once more can be written, or nothing any more: a response that waits for its turn has no socket to tell it so. */
function drained(out: ServerResponse): Promise<void> {
  const { socket } = out.req;
  return new Promise((resolve) => {
    const done = (): void => {
      out.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    out.on('drain', done);
    socket.on('close', done);
  });
}

function isGone(out: ServerResponse): boolean {
  return out.destroyed || out.req.socket.destroyed;
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;
type Chunk = Awaited<ReturnType<Reader['read']>>;

/** The result of `read` if it comes at once, undefined while it is pending. */
async function prompt(read: Promise<Chunk>): Promise<Chunk | undefined> {
  let result: Chunk | undefined;
  read.then(
    (chunk) => {
      result = chunk;
    },
    () => undefined,
  );
  for (let tick = 0; tick < PROMPT_TICKS && result === undefined; tick++) await Promise.resolve();
  return result;
}

function bytesOf(chunk: Chunk): Uint8Array {
  const value: unknown = chunk.value;
  if (value instanceof Uint8Array) return value;
  throw new TypeError('The body of the response has a chunk that is no Uint8Array');
}

class LengthMismatch extends TypeError {
  constructor(stated: number) {
    super(`The body of the response is not as long as its Content-Length, ${stated}`);
  }
}

async function pipe(
  reader: Reader,
  first: Chunk,
  second: Promise<Chunk>,
  out: ServerResponse,
  length?: number,
): Promise<void> {
  let chunk = first;
  let pending = second;
  let sent = 0;
  while (!chunk.done && !isGone(out)) {
    const bytes = bytesOf(chunk);
    sent += bytes.byteLength;
    if (length !== undefined && sent > length) throw new LengthMismatch(length);
    if (!out.write(bytes)) await drained(out);
    if (isGone(out)) break;
    chunk = await pending;
    if (!chunk.done) pending = reader.read();
  }
  if (isGone(out)) {
    pending.catch(() => undefined);
    await reader.cancel(new TypeError('The client closed the connection'));
    return;
  }
  if (length !== undefined && sent < length) throw new LengthMismatch(length);
  out.end();
}

async function sendStream(
  response: Response,
  body: ReadableStream<Uint8Array>,
  out: ServerResponse,
): Promise<void> {
  const { status, statusText } = response;
  const { flat, length } = head(sentHeaders(response));
  const reader = body.getReader();
  try {
    const first = await reader.read();
    if (first.done) {
      start(out, status, statusText, flat, 0);
      out.end();
      return;
    }
    const pending = reader.read();
    if ((await prompt(pending))?.done === true) {
      const bytes = bytesOf(first);
      start(out, status, statusText, flat, bytes.byteLength);
      out.end(bytes);
      return;
    }
    start(out, status, statusText, flat, length);
    out.flushHeaders();
    await pipe(reader, first, pending, out, length);
  } catch (error) {
    // The stream's own failure finds it closed already.
    await reader.cancel(error).catch(() => undefined);
    throw error;
  }
}

/** fetch() has decoded the body of what it got, but left the headers that describe what came over the wire. */
function sentHeaders(response: Response): string[] {
  const { headers, url } = response;
  const decoded = url !== '' && headers.has('content-encoding');
  const flat: string[] = [];
  for (const [name, value] of headers)
    if (!decoded || (name !== 'content-encoding' && name !== 'content-length')) flat.push(name, value);
  return flat;
}

/**
 * Sends a Fetch response. Resolves when its last byte was handed to the socket.
 *
 * @throws what the body's stream throws: nothing or part of the response was sent then
 */
export async function sendResponse(
  response: Response,
  message: IncomingMessage,
  out: ServerResponse,
): Promise<void> {
  if (response.bodyUsed) throw new TypeError('The body of the response was already used');
  const { body, status, statusText } = response;
  if (body !== null && message.method !== 'HEAD' && !hasNullBody(status)) {
    await sendStream(response, body, out);
    return;
  }
  const { flat, length } = head(sentHeaders(response));
  const stated = message.method === 'HEAD' ? length : 0;
  start(out, status, statusText, flat, hasNullBody(status) && status !== 205 ? undefined : stated);
  out.end();
  await body?.cancel();
}
