import { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { UpgradableMessage } from '../websocket/upgradable-message.js';

/** Writes a line for each request once it is over: method, target, status, milliseconds. */
export function logRequests(server: Server, write: (line: string) => void): void {
  const log = (message: IncomingMessage, out: ServerResponse): void => {
    const { method = '', url = '', socket } = message;
    const began = performance.now();
    const tell = (status: number, note: string): void =>
      write(`${method} ${url} ${status} ${(performance.now() - began).toFixed(1)} ms${note}\n`);
    const closed = (): void => tell(101, ', a WebSocket');
    // A WebSocket leaves its response behind, which is never closed then.
    if (message instanceof UpgradableMessage && message.upgrade) socket.once('close', closed);
    out.on('close', () => {
      socket.off('close', closed);
      tell(out.statusCode, out.writableFinished ? '' : ', the client left');
    });
  };
  // Before the handler, whose time is part of it.
  server.prependListener('request', log);
  server.prependListener('checkContinue', log);
}
