import { type IncomingMessage, Server, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { setTimeout } from 'node:timers';
import { answerPlain, refuseConnection, requestId } from './http-errors.js';
import { receive } from './http-request.js';
import { sendPlain, sendResponse } from './http-response.js';
import { DEFAULT_LIMITS, type Limits } from './limits.js';
import { RequestError } from './request-body.js';
import { type ReceivedRequest } from './request-view.js';
import { type WebClasses } from './web-classes.js';

/** Answers a request with a Response, or a promise of one; undefined where the worker has no handler for it. */
export type Handler = (request: Request) => unknown;

/** Told of a request whose handler failed; `promise` is what it returned, unless it threw. */
export type Failed = (id: string, error: unknown, promise: Promise<unknown> | undefined) => void;

/** One request and its answer. */
class Exchange {
  readonly message: IncomingMessage;
  readonly out: ServerResponse;
  readonly began: number;
  request: ReceivedRequest | undefined;
  /** What the handler returned, where that was a promise. */
  promise: Promise<unknown> | undefined;
  answered = false;
  #id: string | undefined;

  constructor(message: IncomingMessage, out: ServerResponse, began: number) {
    this.message = message;
    this.out = out;
    this.began = began;
  }

  get id(): string {
    this.#id ??= requestId(this.message);
    return this.#id;
  }
}

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
  #active = 0;
  #limits: Limits = DEFAULT_LIMITS;
  #clock: NodeJS.Timeout | undefined;
  #idle: (() => void) | undefined;
  #stopping = false;

  constructor(handler: Handler, classes: WebClasses, failed: Failed) {
    super({ keepAlive: true, noDelay: true });
    this.#handler = handler;
    this.#classes = classes;
    this.#failed = failed;
    this.on('connection', (socket: Socket) => {
      this.#open.set(socket, new Set());
      socket.on('close', () => this.#lost(socket));
    });
    this.on('request', (message, out) => this.#receive(message, out, false));
    this.on('checkContinue', (message, out) => this.#receive(message, out, true));
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

  /** Accepts nothing more; resolves when every request that has begun is answered. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.listening) this.close();
    this.closeIdleConnections();
    // Connections that have never sent anything are not idle to Node.
    for (const socket of this.#open.keys()) if (socket.bytesRead === 0) socket.destroy();
    if (this.#active > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
  }

  /** Answers whoever has no answer yet, since this process ends at once. */
  lastWords(): void {
    for (const exchanges of this.#open.values()) {
      for (const exchange of exchanges) {
        if (exchange.out.headersSent) exchange.message.socket.destroy();
        else answerPlain(exchange.out, 500, { id: exchange.id, close: true });
      }
    }
  }

  #receive(message: IncomingMessage, out: ServerResponse, expects: boolean): void {
    const exchange = new Exchange(message, out, performance.now());
    this.#begin(exchange);
    try {
      exchange.request = receive(message, out, this.#limits, expects);
    } catch (error) {
      this.#fail(exchange, error);
      return;
    }
    if (expects) out.shouldKeepAlive = false;
    this.#answer(exchange, exchange.request);
  }

  #begin(exchange: Exchange): void {
    const { message, out } = exchange;
    const { socket } = message;
    this.#open.get(socket)?.add(exchange);
    this.#active += 1;
    if (this.#stopping) out.shouldKeepAlive = false;
    out.on('close', () => this.#end(socket, exchange));
    const { requestMs } = this.#limits;
    if (requestMs > 0 && this.#clock === undefined)
      this.#clock = setTimeout(() => this.#expire(), requestMs).unref();
  }

  #end(socket: Socket, exchange: Exchange): void {
    if (!exchange.out.writableFinished) exchange.request?.abort();
    if (this.#open.get(socket)?.delete(exchange) === true) this.#active -= 1;
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
      if (plain !== undefined) {
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

  #fail(exchange: Exchange, error: unknown): void {
    const { out, request, promise } = exchange;
    exchange.answered = true;
    const refused = request?.body?.exceeded ?? (error instanceof RequestError ? error : undefined);
    if (refused === undefined && request?.aborted !== true) this.#failed(exchange.id, error, promise);
    if (out.headersSent) exchange.message.socket.destroy();
    // What is left of a refused message must not be taken for the next one, nor be waited for.
    else if (refused !== undefined) answerPlain(out, refused.status, { text: refused.message, close: true });
    else answerPlain(out, 500, { id: exchange.id });
  }

  /** Answers requests whose handler takes too long, and comes back for the next. */
  #expire(): void {
    this.#clock = undefined;
    const { requestMs } = this.#limits;
    const now = performance.now();
    let next = Infinity;
    for (const exchanges of this.#open.values()) {
      for (const exchange of exchanges) {
        if (exchange.answered) continue;
        const left = exchange.began + requestMs - now;
        if (left > 0) next = Math.min(next, left);
        else this.#timeOut(exchange, requestMs);
      }
    }
    if (next < Infinity) this.#clock = setTimeout(() => this.#expire(), next + 1).unref();
  }

  #timeOut(exchange: Exchange, requestMs: number): void {
    exchange.answered = true;
    const error = new DOMException(`No answer after ${requestMs} ms`, 'TimeoutError');
    this.#failed(exchange.id, error, undefined);
    exchange.request?.abort(error);
    answerPlain(exchange.out, 504, { id: exchange.id });
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
