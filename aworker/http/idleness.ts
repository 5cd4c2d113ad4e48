import { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers';

/** How long a client may take from its connection to its request, or over a part of one, while its worker has nothing else to do. */
const REQUEST_PATIENCE_MS = 10_000;

/** A connection without a request under way: what it had sent when it was looked at last, and when that was news. */
interface Waiting {
  bytes: number;
  since: number;
  /** It has had an answer: with no byte more it is merely kept. */
  kept: boolean;
}

/** Connections from which a request is to come: those that are new, and those that have sent a part of one. */
class Expected {
  readonly #waiting = new Map<Socket, Waiting>();
  readonly #patienceMs: number;

  constructor(server: Server, patienceMs: number) {
    this.#patienceMs = patienceMs;
    server.on('connection', (socket: Socket) => {
      this.#wait(socket, false);
      socket.on('close', () => this.#waiting.delete(socket));
    });
  }

  began({ socket }: IncomingMessage): void {
    this.#waiting.delete(socket);
  }

  /** @param message answered, unless it has made its connection one that speaks something else */
  ended({ socket, headers }: IncomingMessage): void {
    if (!socket.destroyed && headers.upgrade === undefined) this.#wait(socket, true);
  }

  any(): boolean {
    const now = performance.now();
    let found = false;
    for (const [socket, waiting] of this.#waiting) {
      const isNews = socket.bytesRead !== waiting.bytes;
      if (isNews) Object.assign(waiting, { bytes: socket.bytesRead, since: now, kept: false });
      found ||= !waiting.kept && now - waiting.since < this.#patienceMs;
    }
    return found;
  }

  #wait(socket: Socket, kept: boolean): void {
    this.#waiting.set(socket, { bytes: socket.bytesRead, since: performance.now(), kept });
  }
}

/**
 * Calls `end` once nothing has been asked of a worker for so long: no connection has come, no request runs, and none is to come from a
 * connection that is new. A connection that is merely kept open does not count.
 *
 * @param server has its own request listeners already, and does not listen yet
 * @param idleMs milliseconds, at most 2^31 - 1
 * @param busy whether work is under way that must not be cut off
 * @param patienceMs how long a connection counts that has sent nothing yet, or a part of a request
 */
export function endWhenIdle(
  server: Server,
  idleMs: number,
  busy: () => boolean,
  end: () => void,
  patienceMs = REQUEST_PATIENCE_MS,
): void {
  const expected = new Expected(server, patienceMs);
  let last = performance.now();
  const touch = (): void => {
    last = performance.now();
  };
  const left = (): number => {
    if (busy() || expected.any()) touch();
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
    server.on(event, (message: IncomingMessage, out: ServerResponse) => {
      touch();
      expected.began(message);
      out.on('close', () => {
        touch();
        expected.ended(message);
      });
    });
  }
  look();
}
