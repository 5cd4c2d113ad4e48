import { type IncomingMessage } from 'node:http';

/** A request that cannot be expressed as a Fetch request: answered with 400. */
export class BadRequest extends Error {}

/** The message's body as a stream that stops reading from the socket while nobody takes from it. */
function bodyStream(message: IncomingMessage): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      let open = true;
      message.on('data', (chunk: Uint8Array) => {
        if (!open) return;
        controller.enqueue(new Uint8Array(chunk));
        if ((controller.desiredSize ?? 0) <= 0) message.pause();
      });
      message.on('end', () => {
        if (open) controller.close();
        open = false;
      });
      const fail = (): void => {
        if (open) controller.error(new TypeError('The client closed the connection'));
        open = false;
      };
      message.on('error', fail);
      message.on('close', fail);
      message.pause();
    },
    pull() {
      message.resume();
    },
    cancel() {
      message.removeAllListeners('data');
      message.resume();
    },
  });
}

/**
 * The Fetch request for an HTTP message. The body of GET and HEAD is dropped, as Fetch has none there.
 *
 * @param signal aborts with the client's connection
 * @throws BadRequest
 */
export function toRequest(message: IncomingMessage, signal: AbortSignal): Request {
  const { rawHeaders, method = 'GET', url = '/' } = message;
  const headers: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2)
    headers.push([rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '']);
  const bodyless = method === 'GET' || method === 'HEAD';
  const target = url.startsWith('/') ? `http://${message.headers.host ?? 'localhost'}${url}` : url;
  try {
    if (!bodyless)
      return new Request(target, { method, headers, signal, body: bodyStream(message), duplex: 'half' });
    message.resume();
    return new Request(target, { method, headers, signal });
  } catch (error) {
    throw new BadRequest('The request has no Fetch equivalent', { cause: error });
  }
}
