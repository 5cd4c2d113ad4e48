/**
 * `fetch` and its classes, WebSocket, EventSource and their events: undici's, loaded here and not Node's built-in copy, so that they are the same on every
 * Node.js and find Node's globals in a scope of their own.
 */
import { createRequire } from 'node:module';
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
  readonly EnvHttpProxyAgent: new (options: Record<string, string>) => Dispatcher;
  getGlobalDispatcher(): Dispatcher;
  setGlobalDispatcher(dispatcher: Dispatcher): void;
}

// Node's own copy of undici, where it is loaded, has put its dispatcher on the global object.
for (const name of ['undici.globalDispatcher.1', 'undici.globalDispatcher.2'])
  Object.defineProperty(ownGlobal, Symbol.for(name), {
    value: undefined,
    writable: true,
    configurable: true,
  });

const undici = packages.load(createRequire(import.meta.url).resolve('undici/index-fetch.js')) as Undici;

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

const PROXY_VARIABLES = { httpProxy: 'http_proxy', httpsProxy: 'https_proxy', noProxy: 'no_proxy' } as const;

/**
 * Closes the connections that `fetch` keeps: unfinished requests reject, and the next one starts with a new pool.
 *
 * @param env where `http_proxy`, `https_proxy` and `no_proxy` are looked for, in lower case first
 */
export async function renewConnections(env: Readonly<Record<string, string>> = {}): Promise<void> {
  const options: Record<string, string> = { httpProxy: '', httpsProxy: '', noProxy: '' };
  for (const [option, name] of Object.entries(PROXY_VARIABLES))
    options[option] = env[name] ?? env[name.toUpperCase()] ?? '';
  const before = undici.getGlobalDispatcher();
  undici.setGlobalDispatcher(new undici.EnvHttpProxyAgent(options));
  await before.destroy();
}

interface Agent extends Dispatcher {
  readonly dispatch: unknown;
}

/**
 * Fetches once over a Unix socket: what undici loads with its first connection would be out of reach once the root is a worker's.
 *
 * @param socketPath where an HTTP server answers, as node:net takes it
 */
export async function warmFetch(socketPath: string): Promise<void> {
  const file = createRequire(import.meta.url).resolve('undici/lib/dispatcher/agent.js');
  const Agent = packages.load(file) as new (options: object) => Agent;
  const dispatcher = new Agent({ connect: { socketPath } });
  const options: object = { dispatcher };
  const response = await fetch('http://worker/text', options);
  await response.text();
  await dispatcher.destroy();
}
