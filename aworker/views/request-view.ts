import { type Buffer } from 'node:buffer';
import { type IncomingMessage } from 'node:http';
import { type HeadersClasses } from './headers-view.js';
import { RequestBody } from '../http/request-body.js';
import {
  Adopted,
  allocate,
  construct,
  methodLike,
  type Overrides,
  patchPrototype,
  replaceClass,
} from './web-view.js';

/** Paths that the URL parser would leave as they are. */
const PLAIN_PATH = /^\/(?!\/)[\w\-~!$&()*+,;=:@/?.%]*$/;
const DOT_SEGMENT = /\/(?:\.|%2e)/i;

function aborted(): DOMException {
  return new DOMException('The client closed the connection', 'AbortError');
}

/** What is known of a request that a worker received; everything else is made when it is asked for. */
export class ReceivedRequest {
  readonly message: IncomingMessage;
  readonly origin: string;
  readonly body: RequestBody | undefined;
  #abort: AbortController | undefined;
  #reason: unknown;
  #url: string | undefined;
  #headers: Headers | undefined;
  #real: Request | undefined;
  #used = false;

  /** @param origin `http://` and the host that was asked for */
  constructor(message: IncomingMessage, origin: string, body: RequestBody | undefined) {
    this.message = message;
    this.origin = origin;
    this.body = body;
  }

  get method(): string {
    return this.message.method ?? 'GET';
  }

  get url(): string {
    if (this.#url !== undefined) return this.#url;
    const { url = '/' } = this.message;
    if (PLAIN_PATH.test(url) && !DOT_SEGMENT.test(url)) this.#url = this.origin + url;
    else
      this.#url = new URL(
        /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `${this.origin}${url.startsWith('/') ? '' : '/'}${url}`,
      ).href;
    return this.#url;
  }

  headers(classes: HeadersClasses): Headers {
    this.#headers ??= classes.view(this.message.rawHeaders);
    return this.#headers;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#reason !== undefined) this.#abort.abort(this.#reason);
    }
    return this.#abort.signal;
  }

  /** The request has no one left to answer. */
  abort(reason: unknown = aborted()): void {
    this.#reason ??= reason;
    this.#abort?.abort(this.#reason);
  }

  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  get bodyUsed(): boolean {
    return this.#used || (this.#real?.bodyUsed ?? false);
  }

  /** The whole body as `read` understands it, unless somebody has a stream of it already: undefined then. */
  collect<T>(read: (bytes: Buffer) => T): Promise<T> | undefined {
    if (this.#real !== undefined || this.#used || this.body === undefined) return undefined;
    this.#used = true;
    return this.body.collect(read);
  }

  /** A Request of the implementation's own with the same body, which is read through it from then on. */
  real(classes: RequestClasses): Request {
    if (this.#real !== undefined) return this.#real;
    const init = {
      method: this.method,
      headers: this.headers(classes.headers),
      signal: this.signal,
    };
    if (this.body === undefined) this.#real = classes.make(this.url, init);
    else if (this.#used) this.#real = classes.makeUsed(this.url, init);
    else this.#real = classes.make(this.url, { ...init, body: this.body.stream(), duplex: 'half' });
    return this.#real;
  }
}

class RequestView extends Adopted {
  readonly #state: ReceivedRequest;

  constructor(target: object, state: ReceivedRequest) {
    super(target);
    this.#state = state;
  }

  static stateOf(value: unknown): ReceivedRequest | undefined {
    return typeof value === 'object' && value !== null && #state in value ? value.#state : undefined;
  }
}

type Init = NonNullable<ConstructorParameters<typeof Request>[1]>;

export interface RequestClasses {
  readonly headers: HeadersClasses;
  view(state: ReceivedRequest): Request;
  make(url: string, init: Init): Request;
  /** A request whose body was read before. */
  makeUsed(url: string, init: Init): Request;
  /** For those who look behind the interface: the real object for a view, everything else as it is. */
  real(value: unknown): unknown;
}

/** UTF-8 decode (Encoding, 6): without a byte order mark. */
function decode(bytes: Buffer): string {
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return bytes.toString('utf8', marked ? 3 : 0);
}

const READERS: ReadonlyMap<string, (bytes: Buffer) => unknown> = new Map<string, (bytes: Buffer) => unknown>([
  ['text', decode],
  ['json', (bytes): unknown => JSON.parse(decode(bytes))],
  ['bytes', (bytes) => new Uint8Array(bytes)],
  ['arrayBuffer', (bytes) => new Uint8Array(bytes).buffer],
]);

/** A dictionary whose `headers` are a view gets real ones; the implementation reads their list directly. */
function unwrapInit(headers: HeadersClasses, init: unknown): unknown {
  if (typeof init !== 'object' || init === null || !('headers' in init)) return init;
  const real = headers.real(init.headers);
  if (real === init.headers) return init;
  return new Proxy(init, {
    get: (target, key): unknown => (key === 'headers' ? real : Reflect.get(target, key)),
  });
}

function overridesFor(classes: RequestClasses): Overrides<ReceivedRequest> {
  const overrides = new Map<
    string,
    (state: ReceivedRequest, receiver: unknown, args: readonly unknown[]) => unknown
  >([
    ['method', (state) => state.method],
    ['url', (state) => state.url],
    ['headers', (state) => state.headers(classes.headers)],
    ['signal', (state) => state.signal],
    ['bodyUsed', (state) => state.bodyUsed],
    ['body', (state) => (state.body === undefined ? null : state.real(classes).body)],
  ]);
  for (const [name, read] of READERS) {
    const original: unknown = Reflect.get(globalThis.Request.prototype, name);
    if (typeof original !== 'function') continue;
    overrides.set(name, (state, _receiver, args) => {
      return state.collect(read) ?? Reflect.apply(original, state.real(classes), args);
    });
  }
  return overrides;
}

/** Lets `Request` of the global scope have views, and `fetch` take them. Call once, when the classes have their final form. */
export function installRequestViews(headers: HeadersClasses): RequestClasses {
  const Native = globalThis.Request;
  const nativeFetch = globalThis.fetch;
  const { prototype } = Native;
  const classes: RequestClasses = {
    headers,
    view(state) {
      const view = allocate(prototype);
      new RequestView(view, state);
      return view;
    },
    make: (url, init) => construct(Native, [url, { ...init, headers: headers.real(init.headers) }]),
    makeUsed(url, init) {
      const used = classes.make(url, { ...init, body: ' ' });
      void used.text();
      return used;
    },
    real(value) {
      const state = RequestView.stateOf(value);
      return state === undefined ? value : state.real(classes);
    },
  };
  patchPrototype(prototype, {
    stateOf: (value) => RequestView.stateOf(value),
    realOf: (state) => state.real(classes),
    overrides: overridesFor(classes),
  });
  const unwrap = ([input, init, ...rest]: readonly unknown[]): unknown[] => [
    classes.real(input),
    unwrapInit(headers, init),
    ...rest,
  ];
  replaceClass(Native, (args, target) => construct(Native, args.length === 0 ? [] : unwrap(args), target));
  Object.defineProperty(globalThis, 'fetch', {
    ...Object.getOwnPropertyDescriptor(globalThis, 'fetch'),
    value: methodLike(nativeFetch, (_receiver, args) =>
      Reflect.apply(nativeFetch, globalThis, args.length === 0 ? [] : unwrap(args)),
    ),
  });
  return classes;
}
