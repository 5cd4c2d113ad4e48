import { type IncomingMessage, type ServerResponse } from 'node:http';

/** A stream that has its second chunk (or its end) ready within so many microtasks is sent with a Content-Length. */
const PROMPT_TICKS = 4;

function flatHeaders(headers: Headers): string[] {
  const flat: string[] = [];
  for (const [name, value] of headers) flat.push(name, value);
  return flat;
}

function hasNullBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

function drained(out: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      out.off('drain', done);
      out.off('close', done);
      resolve();
    };
    out.on('drain', done);
    out.on('close', done);
  });
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

function start(response: Response, out: ServerResponse, headers: string[], length?: number): void {
  if (length !== undefined && !response.headers.has('content-length'))
    headers.push('content-length', String(length));
  if (response.statusText === '') out.writeHead(response.status, headers);
  else out.writeHead(response.status, response.statusText, headers);
}

async function sendStream(response: Response, reader: Reader, out: ServerResponse): Promise<void> {
  const headers = flatHeaders(response.headers);
  const first = await reader.read();
  if (first.done) {
    start(response, out, headers, 0);
    out.end();
    return;
  }
  let pending = reader.read();
  if ((await prompt(pending))?.done === true) {
    start(response, out, headers, first.value.byteLength);
    out.end(first.value);
    return;
  }
  start(response, out, headers);
  let chunk: Chunk = first;
  while (!chunk.done && !out.destroyed) {
    if (!out.write(chunk.value)) await drained(out);
    chunk = await pending;
    if (!chunk.done) pending = reader.read();
  }
  if (out.destroyed) await reader.cancel(new TypeError('The client closed the connection'));
  else out.end();
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
  const { body } = response;
  if (body === null || message.method === 'HEAD' || hasNullBody(response.status)) {
    const bare = body !== null || message.method === 'HEAD' || hasNullBody(response.status);
    start(response, out, flatHeaders(response.headers), bare ? undefined : 0);
    out.end();
    await body?.cancel();
    return;
  }
  await sendStream(response, body.getReader(), out);
}
