import { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';

/** Writes a line for each request once it is over: method, target, status, milliseconds. */
export function logRequests(server: Server, write: (line: string) => void): void {
  const log = ({ method = '', url = '' }: IncomingMessage, out: ServerResponse): void => {
    const began = performance.now();
    out.on('close', () => {
      const left = out.writableFinished ? '' : ', the client left';
      write(`${method} ${url} ${out.statusCode} ${(performance.now() - began).toFixed(1)} ms${left}\n`);
    });
  };
  // Before the handler, whose time is part of it.
  server.prependListener('request', log);
  server.prependListener('checkContinue', log);
}
