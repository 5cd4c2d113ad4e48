/**
 * `fetch` and its classes, WebSocket, EventSource and their events: undici's, loaded here and not Node's built-in copy, so that they are the same on every
 * Node.js and find Node's globals in a scope of their own.
 */
import { fileURLToPath } from 'node:url';
import { ownGlobal, packages } from './packages.js';

type EventInit = NonNullable<ConstructorParameters<typeof Event>[1]>;

export interface ErrorEvent extends Event {
  readonly message: string;
  readonly filename: string;
  readonly lineno: number;
  readonly colno: number;
  readonly error: unknown;
}

export interface ErrorEventInit extends EventInit {
  readonly message?: string;
  readonly filename?: string;
  readonly lineno?: number;
  readonly colno?: number;
  readonly error?: unknown;
}

export interface MessageEventInit extends EventInit {
  readonly data?: unknown;
  readonly origin?: string;
  readonly ports?: readonly object[];
}

export interface CloseEventInit extends EventInit {
  readonly code?: number;
  readonly reason?: string;
  readonly wasClean?: boolean;
}

interface Dispatcher {
  destroy(): Promise<void>;
}

/** What this module takes of undici. */
interface Undici {
  readonly fetch: typeof globalThis.fetch;
  readonly Request: typeof globalThis.Request;
  readonly Response: typeof globalThis.Response;
  readonly Headers: typeof globalThis.Headers;
  readonly FormData: typeof globalThis.FormData;
  readonly WebSocket: typeof globalThis.WebSocket;
  readonly EventSource: new (url: string) => EventTarget;
  readonly CloseEvent: new (type: string, init?: CloseEventInit) => Event;
  readonly ErrorEvent: new (type: string, init?: ErrorEventInit) => ErrorEvent;
  readonly MessageEvent: new (type: string, init?: MessageEventInit) => Event;
  readonly Agent: new (options: object) => Dispatcher;
  readonly EnvHttpProxyAgent: new (options: object) => Dispatcher;
  getGlobalDispatcher(): Dispatcher;
  setGlobalDispatcher(dispatcher: Dispatcher): void;
  /** One clock for all time-outs of connections. */
  readonly timers: { tick(): void; reset(): void };
}

// Node's own copy of undici, where it is loaded, has put its dispatcher on the global object.
for (const name of ['undici.globalDispatcher.1', 'undici.globalDispatcher.2'])
  Object.defineProperty(ownGlobal, Symbol.for(name), {
    value: undefined,
    writable: true,
    configurable: true,
  });

/** All of undici in one file: scripts/bundle-runtime.js. */
const undici = packages.load(fileURLToPath(new URL('undici.cjs', import.meta.url))) as Undici;

export const {
  fetch,
  Request,
  Response,
  Headers,
  FormData,
  WebSocket,
  EventSource,
  CloseEvent,
  ErrorEvent,
  MessageEvent,
} = undici;

const PROXY_PROTOCOL = /^(?:https?|socks5?):$/;
type Env = Readonly<Record<string, string>>;

/** As curl and others read them: in lower case first. */
function proxyVariable(env: Env, name: string): string {
  return env[name] ?? env[name.toUpperCase()] ?? '';
}

/** @throws TypeError naming the variable */
function proxyAddress(env: Env, name: string): string {
  const address = proxyVariable(env, name);
  if (address !== '' && !(URL.canParse(address) && PROXY_PROTOCOL.test(new URL(address).protocol)))
    throw new TypeError(`env.${name}: not the address of a proxy: ${address}`);
  return address;
}

/** @throws TypeError */
function dispatcherFor(env: Env): Dispatcher {
  const addresses = {
    httpProxy: proxyAddress(env, 'http_proxy'),
    httpsProxy: proxyAddress(env, 'https_proxy'),
    noProxy: proxyVariable(env, 'no_proxy'),
  };
  // Requests for http: are the proxy's to make; a tunnel to port 80 many proxies refuse.
  return new undici.EnvHttpProxyAgent({ ...addresses, proxyTunnel: false });
}

/** Closes the connections that `fetch` keeps: unfinished requests reject, and the next one starts with a new pool. */
export async function renewConnections(): Promise<void> {
  const before = undici.getGlobalDispatcher();
  undici.setGlobalDispatcher(dispatcherFor({}));
  await before.destroy();
  // Without connections the clock has nothing to do; left alone it ticks once more, in every clone.
  undici.timers.reset();
}

/**
 * Makes `fetch` go by the proxies that `http_proxy`, `https_proxy` and `no_proxy` name. What is under way stays where it is.
 *
 * @throws TypeError naming the variable that is no address
 */
export function useProxies(env: Env): void {
  if (proxyVariable(env, 'http_proxy') !== '' || proxyVariable(env, 'https_proxy') !== '')
    undici.setGlobalDispatcher(dispatcherFor(env));
}

/**
 * Fetches once over a Unix socket: what undici loads with its first connection would be out of reach once the root is a worker's.
 *
 * @param socketPath where an HTTP server answers, as node:net takes it
 */
export async function warmFetch(socketPath: string): Promise<void> {
  const dispatcher = new undici.Agent({ connect: { socketPath } });
  const options: object = { dispatcher };
  const response = await fetch('http://worker/text', options);
  await response.text();
  await dispatcher.destroy();
  undici.timers.tick();
}
