/**
 * `fetch` and its classes, WebSocket, EventSource and their events: undici's, loaded here and not Node's built-in copy, so that they are the same on every
 * Node.js and find Node's globals in a scope of their own.
 */
import { Buffer } from 'node:buffer';
import nodeCrypto from 'node:crypto';
import process from 'node:process';
import {
  clearImmediate,
  clearInterval,
  clearTimeout,
  setImmediate,
  setInterval,
  setTimeout,
} from 'node:timers';
import { fileURLToPath } from 'node:url';
import { randomInt } from '../randomness.js';
import { lateBuiltins } from './late-builtins.js';
import { LexicalRequire } from './lexical-require.js';
import { MessagePort } from './message-port.js';

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
  readonly CloseEvent: new (type: string, init?: EventInit) => Event;
  readonly ErrorEvent: new (type: string, init?: ErrorEventInit) => ErrorEvent;
  readonly MessageEvent: new (type: string, init?: MessageEventInit) => Event;
  readonly Agent: new (options: object) => Dispatcher;
  readonly EnvHttpProxyAgent: new (options: Record<string, string>) => Dispatcher;
  getGlobalDispatcher(): Dispatcher;
  setGlobalDispatcher(dispatcher: Dispatcher): void;
}

/** undici keeps its dispatcher on the global object, where user code would find it. */
const ownGlobal = Object.create(globalThis) as object;

// Node's own copy of undici, where it is loaded, has put its dispatcher on the global object.
for (const name of ['undici.globalDispatcher.1', 'undici.globalDispatcher.2'])
  Object.defineProperty(ownGlobal, Symbol.for(name), {
    value: undefined,
    writable: true,
    configurable: true,
  });

/** The boundaries of forms are drawn by `randomInt`, which undici keeps from when it is loaded. */
const crypto: unknown = Object.create(nodeCrypto, { randomInt: { value: randomInt } });
const scope = {
  Buffer,
  process,
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
  setImmediate,
  clearImmediate,
  MessagePort,
  globalThis: ownGlobal,
  global: ownGlobal,
};
const packages = new LexicalRequire(scope, new Map([['node:crypto', crypto], ...lateBuiltins()]));

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
}
