import { type Server, type ServerResponse } from 'node:http';
import { setImmediate, setTimeout } from 'node:timers';

/**
 * Calls `end` once nothing has been asked of a worker for so long: no connection has come and no request runs. A connection that is
 * merely kept open does not count.
 *
 * @param server has its own request listeners already, and does not listen yet
 * @param idleMs milliseconds, at most 2^31 - 1
 * @param busy whether work is under way that must not be cut off
 */
export function endWhenIdle(server: Server, idleMs: number, busy: () => boolean, end: () => void): void {
  let last = performance.now();
  const touch = (): void => {
    last = performance.now();
  };
  const left = (): number => {
    if (busy()) touch();
    return last + idleMs - performance.now();
  };
  const look = (): void => {
    const wait = left();
    if (wait > 0) setTimeout(look, Math.ceil(wait));
    // In between the event loop reads what has arrived by now, which counts.
    else setImmediate(() => (left() > 0 ? look() : end()));
  };
  server.on('connection', touch);
  for (const event of ['request', 'checkContinue'] as const) {
    server.on(event, (_message, out: ServerResponse) => {
      touch();
      out.on('close', touch);
    });
  }
  look();
}
