import { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers';

type Listener = (message: IncomingMessage, out: ServerResponse) => void;

/** A request beyond the last: its connection had been accepted before the worker knew. */
function refuse(out: ServerResponse): void {
  const text = 'This worker has answered its last request\n';
  out.shouldKeepAlive = false;
  out.writeHead(503, [
    ...['content-type', 'text/plain; charset=utf-8', 'retry-after', '0'],
    ...['content-length', String(text.length)],
  ]);
  out.end(text);
}

/** Accepts nothing more, and calls `end` when every connection has been served. */
function closeGently(server: Server, end: () => void): void {
  server.close(end);
  server.closeIdleConnections();
}

/**
 * Ends a worker after so many requests: the last is answered on a connection that closes behind it.
 *
 * @param server has its request listeners already, and does not listen yet
 * @param end called when the last answer has been sent
 */
export function retireAfter(server: Server, requests: number, end: () => void): void {
  const listeners = server.listeners('request') as Listener[];
  let taken = 0;
  server.removeAllListeners('request');
  server.on('request', (message, out) => {
    taken += 1;
    if (taken > requests) {
      refuse(out);
      return;
    }
    if (taken === requests) {
      out.shouldKeepAlive = false;
      closeGently(server, end);
    }
    // A connection that was kept for the next request has none to wait for any more.
    out.on('close', () => {
      if (taken >= requests) setImmediate(() => server.closeIdleConnections());
    });
    for (const listener of listeners) listener.call(server, message, out);
  });
}
