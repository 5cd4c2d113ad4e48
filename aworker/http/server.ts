import { type Buffer } from 'node:buffer';
import { once } from 'node:events';
import { type IncomingMessage, Server, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Exchange } from './exchange.js';
import { answerPlain, refuseConnection } from './errors.js';
import { receive } from './request.js';
import { sendPlain, sendResponse } from './response.js';
import { DEFAULT_LIMITS, type Limits } from '../config/limits.js';
import { RequestError } from './request-body.js';
import { type Expiry, RequestClock } from './request-clock.js';
import { type ReceivedRequest } from '../views/request-view.js';
import { noteRequest } from '../engine/loop-watch.js';
import { type PlainResponse } from '../views/plain-response.js';
import { UpgradableMessage } from '../websocket/upgradable-message.js';
import { type WebClasses } from '../views/web-classes.js';
import { PairedSocket } from '../web/web-socket-pair.js';
import { WebSocketConnections } from '../websocket/connection.js';
import { checkHandshake, upgradeRequired } from '../websocket/handshake.js';

/** Answers a request with a Response, or a promise of one; undefined where the worker has no handler for it. */
export type Handler = (request: Request) => unknown;

/** Told of a request whose handler failed; `promise` is what it returned, unless it threw. */
export type Failed = (id: string, error: unknown, promise: Promise<unknown> | undefined) => void;

/** RFC 6455, 7.4.1. */
const GOING_AWAY = 1001;
const INTERNAL_ERROR = 1011;

/** Connections that may wait to be accepted: as many as the daemon asked for when it bound the socket. Node's own is 511. */
const BACKLOG = 4096;

/** How often Node looks for requests that take too long to arrive. */
const CHECKS_PER_LIMIT = 2;
const MIN_CHECK_MS = 500;
const MAX_CHECK_MS = 30_000;

/** An HTTP server that answers by a worker's handler; it does not listen yet. */
export class WorkerServer extends Server {
  readonly #handler: Handler;
  readonly #classes: WebClasses;
  readonly #failed: Failed;
  /** Connections, each with its requests that have no whole answer yet. */
  readonly #open = new Map<Socket, Set<Exchange>>();
  /** Requests to switch to WebSocket → what the client has sent behind them. */
  readonly #handshakes = new WeakMap<IncomingMessage, Buffer>();
  readonly #webSockets = new WebSocketConnections();
  #active = 0;
  #limits: Limits = DEFAULT_LIMITS;
  readonly #clock: RequestClock;
  #idle: (() => void) | undefined;
  #stopping = false;

  constructor(handler: Handler, classes: WebClasses, failed: Failed) {
    super({ keepAlive: true, noDelay: true, IncomingMessage: UpgradableMessage });
    this.#handler = handler;
    this.#classes = classes;
    this.#failed = failed;
    this.#clock = new RequestClock(
      () => this.#open.values(),
      (exchange, expiry) => this.#timeOut(exchange, expiry),
    );
    this.on('connection', (socket: Socket) => {
      this.#open.set(socket, new Set());
      socket.on('close', () => this.#lost(socket));
    });
    this.on('request', (message, out) => this.#receive(message, out, false));
    this.on('checkContinue', (message, out) => this.#receive(message, out, true));
    this.on('upgrade', (message, socket, head) => {
      if (socket instanceof Socket) this.#upgrade(message, socket, head);
      else socket.destroy();
    });
    this.on('connect', (_message, socket) => {
      socket.end('HTTP/1.1 501 Not Implemented\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
    });
    this.on('clientError', (error: Error & { code?: string }, socket) => {
      if (!(socket instanceof Socket)) return;
      refuseConnection(
        error,
        socket,
        [...(this.#open.get(socket) ?? [])].some(({ out }) => out.headersSent),
      );
    });
    this.limit(DEFAULT_LIMITS);
  }

  /** Sets the limits, before the server listens. */
  limit(limits: Limits): void {
    this.#limits = limits;
    this.#clock.limit(limits);
    this.headersTimeout = limits.headersMs;
    this.requestTimeout = limits.receiveMs;
    this.keepAliveTimeout = limits.keepAliveMs;
    const shortest = Math.min(
      ...[limits.headersMs, limits.receiveMs].filter((ms) => ms > 0),
      MAX_CHECK_MS * CHECKS_PER_LIMIT,
    );
    // Both are read by Node when a server listens and a connection begins; its types know them as constructor options only.
    Object.assign(this, {
      maxHeaderSize: limits.headerBytes,
      connectionsCheckingInterval: Math.max(MIN_CHECK_MS, shortest / CHECKS_PER_LIMIT),
    });
  }

  /** Requests that have no whole answer yet. */
  get active(): number {
    return this.#active;
  }

  /** Clients that are connected by WebSocket; they are no requests. */
  get webSockets(): number {
    return this.#webSockets.size;
  }

  /** Accepts nothing more, and tells WebSocket clients to go; resolves when they have gone and every request that has begun is answered. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.listening) this.close();
    this.closeIdleConnections();
    // Connections that have never sent anything are not idle to Node.
    for (const socket of this.#open.keys()) if (socket.bytesRead === 0) socket.destroy();
    const gone = this.#webSockets.end(GOING_AWAY);
    if (this.#active > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    await gone;
  }

  /** Answers whoever has no answer yet, since this process ends at once. */
  lastWords(): void {
    void this.#webSockets.end(INTERNAL_ERROR);
    for (const exchanges of this.#open.values()) {
      for (const exchange of exchanges) {
        if (exchange.out.headersSent) exchange.message.socket.destroy();
        else answerPlain(exchange.out, 500, { id: exchange.id, close: true });
      }
    }
  }

  #receive(message: IncomingMessage, out: ServerResponse, expects: boolean): void {
    const exchange = new Exchange(message, out, performance.now(), this.#clock.began());
    this.#begin(exchange);
    noteRequest(message);
    try {
      exchange.request = receive(message, out, this.#limits, expects);
      if (this.#handshakes.has(message)) checkHandshake(message);
    } catch (error) {
      this.#fail(exchange, error);
      return;
    }
    if (expects) out.shouldKeepAlive = false;
    this.#answer(exchange, exchange.request);
  }

  /** A message behind which its connection speaks HTTP no more. Its turn comes when those before it have been answered. */
  #upgrade(message: IncomingMessage, socket: Socket, head: Buffer): void {
    const proceed = (): void => {
      if (socket.destroyed) return;
      const out = new ServerResponse(message);
      out.shouldKeepAlive = false;
      out.assignSocket(socket);
      socket.on('drain', () => out.emit('drain'));
      out.on('finish', () => socket.end());
      this.#handshakes.set(message, head);
      this.emit('request', message, out);
    };
    socket.on('error', () => socket.destroy());
    const before = [...(this.#open.get(socket) ?? [])].map(({ out }) => once(out, 'close'));
    if (before.length === 0) proceed();
    else void Promise.all(before).then(proceed);
  }

  #begin(exchange: Exchange): void {
    const { message, out } = exchange;
    const { socket } = message;
    this.#open.get(socket)?.add(exchange);
    this.#active += 1;
    if (this.#stopping) out.shouldKeepAlive = false;
    out.on('close', () => this.#end(socket, exchange));
  }

  #end(socket: Socket, exchange: Exchange): void {
    if (!exchange.out.writableFinished && !exchange.switched) exchange.request?.abort();
    if (this.#open.get(socket)?.delete(exchange) === true) {
      this.#active -= 1;
      this.#clock.ended();
    }
    if (this.#active === 0) this.#idle?.();
  }

  /** Answers that wait for their turn on a connection hear nothing of its end. */
  #lost(socket: Socket): void {
    for (const exchange of this.#open.get(socket) ?? []) this.#end(socket, exchange);
    this.#open.delete(socket);
  }

  #answer(exchange: Exchange, request: ReceivedRequest): void {
    let answer: unknown;
    try {
      answer = this.#handler(this.#classes.request.view(request));
    } catch (error) {
      this.#fail(exchange, error);
      return;
    }
    if (answer instanceof Promise) {
      exchange.promise = answer;
      answer.then(
        (response: unknown) => this.#send(exchange, response),
        (error: unknown) => this.#fail(exchange, error),
      );
    } else {
      this.#send(exchange, answer);
    }
  }

  #send(exchange: Exchange, response: unknown): void {
    const { message, out } = exchange;
    if (exchange.answered) return;
    exchange.answered = true;
    try {
      if (this.#stopping) out.shouldKeepAlive = false;
      const plain = this.#classes.response.plain(response);
      if (plain !== undefined && plain.webSocket !== null) {
        this.#switch(exchange, plain);
      } else if (plain !== undefined) {
        sendPlain(plain, message, out);
      } else if (this.#classes.response.is(response)) {
        sendResponse(response, message, out).catch((error: unknown) => this.#fail(exchange, error));
      } else if (response === undefined && exchange.promise === undefined) {
        answerPlain(out, 501, { text: 'This worker has no fetch handler' });
      } else {
        throw new TypeError('The fetch handler did not answer with a Response');
      }
    } catch (error) {
      this.#fail(exchange, error);
    }
  }

  /** Joins the client to the response's WebSocket. @throws RequestError, TypeError */
  #switch(exchange: Exchange, response: PlainResponse): void {
    const { message, out } = exchange;
    const head = this.#handshakes.get(message);
    const end = PairedSocket.endOf(response.webSocket);
    if (head === undefined || end === undefined) throw upgradeRequired();
    const { socket } = message;
    this.#webSockets.open(message, socket, head, end, response.flatHeaders(), this.#limits, () => {
      exchange.switched = true;
      out.detachSocket(socket);
    });
    this.#end(socket, exchange);
  }

  #fail(exchange: Exchange, error: unknown): void {
    const { out, request, promise } = exchange;
    exchange.answered = true;
    const refused = request?.body?.exceeded ?? (error instanceof RequestError ? error : undefined);
    if (refused === undefined && request?.aborted !== true) this.#failed(exchange.id, error, promise);
    if (out.headersSent) exchange.message.socket.destroy();
    // What is left of a refused message must not be taken for the next one, nor be waited for.
    else if (refused !== undefined)
      answerPlain(out, refused.status, { text: refused.message, headers: refused.headers, close: true });
    else answerPlain(out, 500, { id: exchange.id });
  }

  #timeOut(exchange: Exchange, { status, error }: Expiry): void {
    exchange.answered = true;
    this.#failed(exchange.id, error, undefined);
    exchange.request?.abort(error);
    answerPlain(exchange.out, status, { id: exchange.id });
  }
}

/** Resolves once the server accepts connections; rejects when it cannot listen. */
export function listening(server: Server, options: Parameters<Server['listen']>[0]): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // With a descriptor, Node reads it from here alone.
    server.listen(options, BACKLOG, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
