import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { describe } from './fatal.js';
import { BadRequest, toRequest } from './http-request.js';
import { sendResponse } from './http-response.js';
import { writeText } from './standard-output.js';

/** Answers a request; undefined where the worker has no fetch handler for it. */
export type Handler = (request: Request) => Promise<Response | undefined>;

function plain(out: ServerResponse, status: number, text: string): void {
  const body = `${text}\n`;
  out.writeHead(status, ['content-type', 'text/plain; charset=utf-8', 'content-length', String(body.length)]);
  out.end(body);
}

function report(out: ServerResponse, error: unknown): void {
  if (error instanceof BadRequest) {
    plain(out, 400, 'Bad Request');
    return;
  }
  writeText(2, `${describe(error)}\n`);
  if (out.headersSent) out.destroy();
  else plain(out, 500, 'Internal Server Error');
}

async function answer(handler: Handler, message: IncomingMessage, out: ServerResponse): Promise<void> {
  const abort = new AbortController();
  out.on('close', () => {
    if (!out.writableFinished)
      abort.abort(new DOMException('The client closed the connection', 'AbortError'));
  });
  try {
    const response = await handler(toRequest(message, abort.signal));
    if (response === undefined) plain(out, 501, 'This worker has no fetch handler');
    else if (response instanceof Response) await sendResponse(response, message, out);
    else throw new TypeError('The fetch handler did not answer with a Response');
  } catch (error) {
    if (!abort.signal.aborted) report(out, error);
  }
}

/** An HTTP server that answers by `handler`; it does not listen yet. */
export function createHttpServer(handler: Handler): Server {
  return createServer((message, out) => void answer(handler, message, out));
}

/** Resolves once the server accepts connections; rejects when it cannot listen. */
export function listening(server: Server, options: Parameters<Server['listen']>[0]): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
