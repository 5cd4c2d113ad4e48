import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';

/** Names of a request that a proxy has given and that are safe to repeat in a log line. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

/** What to call a request in answers and logs: the name it came with (`x-request-id`), or a new one. */
export function requestId(message: IncomingMessage): string {
  const given = message.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomBytes(8).toString('hex');
}

/** A short answer of the server's own: it says what happened, not why. */
export function answerPlain(
  out: ServerResponse,
  status: number,
  {
    text = STATUS_CODES[status] ?? 'Error',
    id,
    close = false,
    headers: { connection, ...headers } = {},
  }: { text?: string; id?: string; close?: boolean; headers?: Readonly<Record<string, string>> } = {},
): void {
  const options = [connection, close ? 'close' : undefined].filter((option) => option !== undefined);
  const body = id === undefined ? `${text}\n` : `${text} (request ${id})\n`;
  out.writeHead(status, [
    'content-type',
    'text/plain; charset=utf-8',
    'content-length',
    String(Buffer.byteLength(body)),
    ...(id === undefined ? [] : ['x-request-id', id]),
    ...(options.length === 0 ? [] : ['connection', options.join(', ')]),
    ...Object.entries(headers).flat(),
  ]);
  out.end(body);
}

function statusOf({ code = '' }: Error & { code?: string }): number {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 431;
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 413;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 408;
    default:
      return 400;
  }
}

/**
 * Answers bytes that are no HTTP request (event `clientError`), and closes: what follows on the connection cannot be told from the rest of them. Where
 * an answer is under way, another would be taken for part of it.
 */
export function refuseConnection(error: Error & { code?: string }, socket: Socket, busy: boolean): void {
  if (error.code === 'ECONNRESET' || !socket.writable || busy) {
    socket.destroy();
    return;
  }
  const status = statusOf(error);
  const body = `${STATUS_CODES[status] ?? ''}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n` +
      `content-length: ${body.length}\r\n\r\n${body}`,
  );
  // The client may go on sending: its bytes must not hold the connection (RFC 9112, 9.6).
  socket.setTimeout(1000, () => socket.destroy());
}
