/** Connections of clients that speak WebSocket. Framing is the package ws's (docs/decisions/0021). */
import { Buffer } from 'node:buffer';
import { type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import { type Socket } from 'node:net';
import { type Limits } from '../config/limits.js';
import { packages } from '../web/packages.js';
import { type Peer, type Signal, type SocketEnd } from '../web/socket-end.js';
import { offeredProtocols } from './handshake.js';

/** How long a client has to answer a close frame. */
const CLOSE_MS = 5_000;
/** A client that does not take what it is sent is not read from beyond so many bytes. */
const HIGH_WATER_BYTES = 256 * 1024;

type Listener<Args extends unknown[]> = (...args: Args) => void;

/** What this module takes of ws. */
interface WsSocket {
  readonly bufferedAmount: number;
  readonly protocol: string;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  ping(): void;
  pause(): void;
  resume(): void;
  terminate(): void;
  on(event: 'message', listener: Listener<[data: Buffer, isBinary: boolean]>): void;
  on(event: 'close', listener: Listener<[code: number, reason: Buffer]>): void;
  on(event: 'error', listener: Listener<[error: Error]>): void;
}

interface WsServer {
  on(event: 'headers', listener: Listener<[lines: string[]]>): void;
  handleUpgrade(
    message: IncomingMessage,
    socket: Socket,
    head: Buffer,
    done: (connection: WsSocket) => void,
  ): void;
}

interface Ws {
  readonly WebSocketServer: new (options: object) => WsServer;
}

const require = createRequire(import.meta.url);
let loaded: Ws | undefined;

/**
 * Loads ws. A seed does so ahead, since its workers cannot reach the file; elsewhere the first client that needs it waits, and not every start: it takes
 * tens of milliseconds.
 */
export function loadFraming(): Ws {
  loaded ??= packages.load(require.resolve('ws')) as Ws;
  return loaded;
}

/** A client's connection, as the other side of an end in this worker. */
class Connection implements Peer {
  readonly #ws: WsSocket;
  readonly #socket: Socket;
  readonly #backlogBytes: number;
  /** Why nothing is read from the client: its end was not accepted yet, or it is behind. */
  readonly #held = new Set<'end' | 'backlog'>(['end']);
  #failed = false;

  constructor(ws: WsSocket, socket: Socket, end: SocketEnd, limits: Limits) {
    this.#ws = ws;
    this.#socket = socket;
    this.#backlogBytes = limits.backlogBytes;
    ws.pause();
    ws.on('message', (data, isBinary) => {
      end.receive({ type: 'message', data: isBinary ? new Uint8Array(data) : data.toString('utf8') });
    });
    ws.on('error', () => {
      this.#failed = true;
    });
    ws.on('close', (code, reason) => {
      if (this.#failed || code === 1006) end.receive({ type: 'lost', error: this.#failed });
      else
        end.receive({
          type: 'close',
          code: code === 1005 ? undefined : code,
          reason: reason.toString('utf8'),
        });
    });
    socket.on('drain', () => this.#release('backlog'));
    this.#watch(limits.pingMs);
  }

  get unsent(): number {
    return this.#ws.bufferedAmount;
  }

  take(signal: Signal): void {
    switch (signal.type) {
      case 'message':
        this.#send(signal.data);
        break;
      case 'close':
        this.#close(signal.code, signal.reason);
        break;
      case 'lost':
        this.#ws.terminate();
        break;
    }
  }

  ready(): void {
    this.#release('end');
  }

  #send(data: string | Uint8Array): void {
    this.#ws.send(data);
    const behind = this.#ws.bufferedAmount;
    if (this.#backlogBytes > 0 && behind > this.#backlogBytes) {
      this.#failed = true;
      this.#ws.terminate();
    } else if (behind > HIGH_WATER_BYTES) {
      this.#held.add('backlog');
      this.#ws.pause();
    }
  }

  #close(code: number | undefined, reason: string): void {
    // A code is needed for a reason (RFC 6455, 5.5.1).
    if (code === undefined && reason === '') this.#ws.close();
    else this.#ws.close(code ?? 1000, reason);
    // The client's answer has to be read.
    this.#held.clear();
    this.#ws.resume();
  }

  #release(reason: 'end' | 'backlog'): void {
    if (this.#held.delete(reason) && this.#held.size === 0) this.#ws.resume();
  }

  /** Pings a client that is silent, and gives up one that stays so. */
  #watch(pingMs: number): void {
    if (pingMs === 0) return;
    let received = this.#socket.bytesRead;
    let pinged = false;
    this.#socket.setTimeout(pingMs);
    this.#socket.on('timeout', () => {
      // A client that is not read from may have answered.
      const silent = this.#held.size === 0 && this.#socket.bytesRead === received;
      if (pinged && silent) {
        this.#ws.terminate();
        return;
      }
      received = this.#socket.bytesRead;
      pinged = true;
      this.#ws.ping();
    });
  }
}

/** The open WebSocket connections of a server. */
export class WebSocketConnections {
  readonly #open = new Set<WsSocket>();
  #ending: number | undefined;
  #empty: (() => void) | undefined;

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Answers a checked handshake, and joins the client to the end that `given` was made with.
   *
   * @param head what the client has sent already
   * @param flat headers of the answer: name, value, name, value …
   * @param release takes the socket from whoever would have answered otherwise
   * @throws TypeError for an end that is in use, and for a subprotocol that was not offered
   */
  open(
    message: IncomingMessage,
    socket: Socket,
    head: Buffer,
    given: SocketEnd,
    flat: readonly string[],
    limits: Limits,
    release: () => void,
  ): void {
    const { other } = given;
    const { protocol, lines } = answerHead(flat, offeredProtocols(message));
    const { WebSocketServer } = loadFraming();
    const server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      allowSynchronousEvents: false,
      maxPayload: limits.messageBytes,
      closeTimeout: CLOSE_MS,
      handleProtocols: () => protocol ?? false,
    });
    server.on('headers', (answer) => void answer.push(...lines));
    given.requireNew();
    release();
    if (socket.destroyed || !socket.readable || !socket.writable) {
      socket.destroy();
      other.receive({ type: 'lost', error: false });
      return;
    }
    server.handleUpgrade(message, socket, head, (ws) => {
      this.#open.add(ws);
      ws.on('close', () => this.#closed(ws));
      other.protocol = ws.protocol;
      given.couple(new Connection(ws, socket, other, limits));
      if (this.#ending !== undefined) this.#end(ws, this.#ending);
    });
  }

  /** Closes all, also those to come, with that code; resolves when none is left. */
  async end(code: number): Promise<void> {
    this.#ending = code;
    for (const ws of this.#open) this.#end(ws, code);
    if (this.#open.size > 0) {
      await new Promise<void>((resolve) => {
        this.#empty = resolve;
      });
    }
  }

  #end(ws: WsSocket, code: number): void {
    ws.close(code);
    ws.resume();
  }

  #closed(ws: WsSocket): void {
    this.#open.delete(ws);
    if (this.#open.size === 0) this.#empty?.();
  }
}

/** Headers that belong to the handshake: the server's own business. */
const OURS = /^(?:connection|upgrade|content-length|transfer-encoding|keep-alive|trailer|sec-websocket-.*)$/;

/** @throws TypeError for a subprotocol that the client did not offer */
function answerHead(
  flat: readonly string[],
  offered: readonly string[],
): { protocol: string | undefined; lines: string[] } {
  let protocol: string | undefined;
  const lines: string[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = (flat[i] ?? '').toLowerCase();
    const value = flat[i + 1] ?? '';
    if (name === 'sec-websocket-protocol') protocol = value;
    else if (!OURS.test(name)) lines.push(`${name}: ${value}`);
  }
  if (protocol !== undefined && !offered.includes(protocol))
    throw new TypeError(`The client did not offer the subprotocol "${protocol}"`);
  return { protocol, lines };
}
