import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { target } from './http.js';
import { patience } from './patience.js';

/** What clients saw, counted. */
export interface Seen {
  answers: number;
  /** Answers other than `200`, and why connections that were new got none: nothing of that is the client's to expect. */
  readonly wrong: Map<string, number>;
  /** Kept connections that the server was seen to have closed before the next request: another was made. */
  closedBefore: number;
  /** Requests on a kept connection that the server closed just then: asked again on a new one. */
  lost: number;
  /** Connections that ended in the middle of an answer. */
  cut: number;
}

export interface Clients {
  readonly seen: Seen;
  /** No client begins another request; resolves once every one that has begun is over. */
  stop(): Promise<Seen>;
}

export interface ClientsOptions {
  /** Clients at a time, each with one request under way. */
  readonly count: number;
  /** Whether a client keeps its connection for the next request. */
  readonly keep: boolean;
  readonly path?: string;
  /** Milliseconds between an answer and the next request; default 0. */
  readonly pause?: () => number;
  /** An end without an answer is right: whom they ask is being deleted. */
  readonly mortal?: boolean;
}

type Outcome = { readonly status: number; readonly kept: boolean } | 'none' | 'cut';

/** One request on a connection; `none`: the connection ended before any byte of an answer. */
function ask(socket: Socket, path: string, keep: boolean): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    let text = '';
    const late = setTimeout(() => {
      done();
      socket.destroy();
      reject(new Error('no answer in time'));
    }, patience(20_000));
    const done = (): void => {
      clearTimeout(late);
      socket.off('data', read).off('close', closed);
    };
    const read = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = text.slice(0, end);
      const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
      if (length === undefined || text.length < end + 4 + Number(length)) return;
      done();
      resolve({ status: Number(head.slice(9, 12)), kept: keep && !/\r\nconnection: *close/i.test(head) });
    };
    const closed = (): void => {
      done();
      resolve(text === '' ? 'none' : 'cut');
    };
    socket.on('data', read).on('close', closed);
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n${keep ? '' : 'connection: close\r\n'}\r\n`);
  });
}

function open(address: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const to = target(address);
    const socket = connect('socketPath' in to ? { path: to.socketPath } : to);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      // Told as `close`.
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

/**
 * Keeps so many requests under way, round all addresses, until it is stopped. A request without an answer on a kept connection is asked
 * again on a new one, as RFC 9112, 9.3.1 has clients do.
 */
export function startClients(addresses: readonly string[], options: ClientsOptions): Clients {
  const { count, keep, path = '/', pause = () => 0, mortal = false } = options;
  const seen: Seen = { answers: 0, wrong: new Map(), closedBefore: 0, lost: 0, cut: 0 };
  let stopped = false;
  const wrong = (what: string): void => void seen.wrong.set(what, (seen.wrong.get(what) ?? 0) + 1);
  const client = async (address: string): Promise<void> => {
    let kept: Socket | undefined;
    while (!stopped) {
      try {
        if (kept?.destroyed === true) {
          seen.closedBefore += 1;
          kept = undefined;
        }
        const isNew = kept === undefined;
        const socket = kept ?? (await open(address));
        kept = undefined;
        const outcome = await ask(socket, path, keep);
        if (typeof outcome === 'object') {
          if (outcome.status === 200) seen.answers += 1;
          else wrong(String(outcome.status));
          if (outcome.kept) kept = socket;
          else socket.destroy();
        } else if (outcome === 'cut') seen.cut += 1;
        else if (!isNew) seen.lost += 1;
        else if (mortal) return;
        else wrong('a new connection ended without an answer');
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
        if (mortal && (code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'ECONNRESET')) return;
        wrong(code);
      }
      const wait = pause();
      if (wait > 0) await delay(wait);
    }
    kept?.destroy();
  };
  const running = Array.from({ length: count }, (_, index) =>
    client(addresses[index % addresses.length] ?? ''),
  );
  return {
    seen,
    async stop() {
      stopped = true;
      await Promise.all(running);
      return seen;
    },
  };
}
