import { EventEmitter, once } from 'node:events';
import { request, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { patience } from './patience.js';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HttpOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds. */
  readonly timeout?: number;
}

/** One HTTP request. @param address `unix:PATH` or `tcp:HOST:PORT` */
export function http(address: string, path: string, options: HttpOptions = {}): Promise<HttpAnswer> {
  const { method = 'GET', headers = {}, timeout = 10_000, body } = options;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { ...target(address), path, method, headers: { ...headers }, agent: false },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    outgoing.setTimeout(patience(timeout), () => outgoing.destroy(new Error(`${address}${path}: no answer`)));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Node's connection options for an address. */
export function target(address: string): { socketPath: string } | { host: string; port: number } {
  if (address.startsWith('unix:')) return { socketPath: address.slice(5) };
  const [, host = '127.0.0.1', port = '0'] = /^tcp:(.*):(\d+)$/.exec(address) ?? [];
  return { host, port: Number(port) };
}

/** Server-sent events of one stream, parsed from JSON; `opened` resolves with the response's headers. */
export class EventFeed {
  readonly opened: Promise<void>;
  readonly #outgoing: ClientRequest;
  readonly #arrivals = new EventEmitter();
  readonly seen: Record<string, unknown>[] = [];

  constructor(address: string, path: string) {
    this.#outgoing = request({ ...target(address), path, agent: false });
    this.opened = new Promise((resolve, reject) => {
      this.#outgoing.on('error', reject);
      this.#outgoing.on('response', (incoming) => {
        this.#read(incoming);
        resolve();
      });
    });
    this.#outgoing.end();
  }

  #read(incoming: IncomingMessage): void {
    let text = '';
    incoming.setEncoding('utf8');
    incoming.on('error', () => undefined);
    incoming.on('data', (chunk: string) => {
      text += chunk;
      const records = text.split(/\r?\n\r?\n/);
      text = records.pop() ?? '';
      for (const record of records) this.#take(record);
    });
  }

  #take(record: string): void {
    const data = record
      .split(/\r?\n/)
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5).trim())
      .join('\n');
    if (data === '') return;
    this.seen.push(JSON.parse(data) as Record<string, unknown>);
    this.#arrivals.emit('event');
  }

  /** Resolves with what `test` returns once that is not undefined: now, or after any event. @throws at the deadline */
  async until<T>(
    what: string,
    test: () => T | undefined | Promise<T | undefined>,
    milliseconds = 20_000,
  ): Promise<T> {
    const signal = AbortSignal.timeout(patience(milliseconds));
    for (;;) {
      // Registered before the test runs, so that an event between test and wait is not missed.
      const next = once(this.#arrivals, 'event', { signal }).catch(() => {
        throw new Error(`waited ${milliseconds} ms for ${what}`);
      });
      next.catch(() => undefined);
      const value = await test();
      if (value !== undefined) return value;
      await next;
    }
  }

  close(): void {
    this.#outgoing.on('error', () => undefined);
    this.#outgoing.destroy();
  }
}
