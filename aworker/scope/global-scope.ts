import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import process from 'node:process';
import { closeNodeLoader } from '../engine/engine-internals.js';
import { ExtendableEvent, FetchEvent, PromiseRejectionEvent } from './events.js';
import { type ResponseClasses } from '../views/response-view.js';
import { reportError } from './scope-events.js';
import { installStackTraces } from '../engine/stack-traces.js';
import { preparePause } from '../engine/standard-output.js';
import { timerFunctions } from './timers.js';
import { VERSION } from '../version.js';
import { BroadcastChannel, broadcastAs } from '../web/broadcast-channel.js';
import { Cache } from '../web/cache.js';
import { CacheStorage, createCacheStorage } from '../web/cache-storage.js';
import { CompressionStream, DecompressionStream } from '../web/compression-stream.js';
import { conformInterfaces, refuseToBlock } from '../web/conformance.js';
import { createConsoleNamespace } from '../web/console-namespace.js';
import { installEventTarget } from '../web/event-target.js';
import { expose } from '../web/exposure.js';
import * as fetchFamily from '../web/fetch-family.js';
import { defineHandlers, isCallable, requireArguments, toDomString } from '../web/interface.js';
import { deliverAs, MessageChannel, MessagePort, structuredClone } from '../web/message-port.js';
import {
  defineScopeAttribute,
  defineScopeOperation,
  installScopeInterfaces,
  requireScope,
  ServiceWorkerGlobalScope,
  WorkerGlobalScope,
} from '../web/scope-interfaces.js';
import { FileList, FileReader } from '../web/file-reader.js';
import { ProgressEvent } from '../web/progress-event.js';
import { TextDecoder, TextDecoderStream } from '../web/text-decoder.js';
import { LexicalRequire } from '../web/lexical-require.js';
import { installWasmStreaming } from '../web/wasm-streaming.js';
import { installKeys, KEYS_SHOW_MATERIAL } from '../web/crypto-key.js';
import { WebSocketPair } from '../web/web-socket-pair.js';
import { createLocation, WorkerLocation } from '../web/worker-location.js';
import { createNavigator, WorkerNavigator } from '../web/worker-navigator.js';

/** Events of every worker, and those of this kind. */
const WORKER_HANDLERS = ['error', 'rejectionhandled', 'unhandledrejection'];
const OWN_HANDLERS = ['install', 'activate', 'fetch', 'serialize', 'deserialize', 'uninstall'];

/** Who this worker is; renewed in every clone. */
export interface Identity {
  id: string;
  pid: number;
  env: Record<string, string>;
}

function define(name: string, value: unknown, enumerable = false): void {
  // Node makes some of its globals when they are looked at, as defining one over them does: a whole undici.
  Reflect.deleteProperty(globalThis, name);
  Object.defineProperty(globalThis, name, { value, writable: true, enumerable, configurable: true });
}

function defineClasses(): void {
  const { Request, Response, Headers, FormData, WebSocket, EventSource } = fetchFamily;
  const { CloseEvent, ErrorEvent, MessageEvent } = fetchFamily;
  const classes = [
    Request,
    Response,
    Headers,
    FormData,
    WebSocket,
    EventSource,
    CloseEvent,
    ErrorEvent,
    MessageEvent,
  ];
  for (const value of [
    ...classes,
    ...[Cache, CacheStorage, CompressionStream, DecompressionStream],
    ...[TextDecoder, TextDecoderStream, FileList, FileReader, ProgressEvent],
    ...[ExtendableEvent, FetchEvent, PromiseRejectionEvent],
    ...[
      BroadcastChannel,
      MessageChannel,
      MessagePort,
      WorkerNavigator,
      WorkerLocation,
      WorkerGlobalScope,
      ServiceWorkerGlobalScope,
    ],
  ])
    define(value.name, value);
  broadcastAs((data) => new MessageEvent('message', { data, origin: 'null' }));
  Object.defineProperty(ErrorEvent, 'length', { value: 1, configurable: true });
  deliverAs((data, ports, type) => new MessageEvent(type, { data, ports }));
}

/** Turns Node's global scope into a worker's. Nothing of ours may look up a Node global afterwards. */
export function installGlobalScope(identity: Identity): void {
  installScopeInterfaces();
  defineClasses();
  installEventTarget();
  define('console', createConsoleNamespace());
  define('fetch', fetchFamily.fetch, true);
  const scope = (value: unknown): EventTarget => {
    requireScope(value);
    return globalThis as unknown as EventTarget;
  };
  defineHandlers(WorkerGlobalScope.prototype, WORKER_HANDLERS, scope);
  defineHandlers(globalThis, OWN_HANDLERS, scope);
  define('aworker', {
    version: VERSION,
    get id() {
      return identity.id;
    },
    get pid() {
      return identity.pid;
    },
    get hostname() {
      return hostname();
    },
    get env() {
      return identity.env;
    },
  });
}

/** What of the API of other platforms stands beside the Web's: `WebSocketPair`, and `webSocket` of a Response. */
export function installWebSocketPair(responses: ResponseClasses): void {
  define('WebSocketPair', WebSocketPair);
  const own = {
    get webSocket(): object | null {
      return responses.webSocket(this);
    },
  };
  const known = Object.getOwnPropertyDescriptor(own, 'webSocket');
  if (known !== undefined) Object.defineProperty(Response.prototype, 'webSocket', known);
}

let load: (urls: readonly string[]) => void = () => undefined;

/** What `importScripts` does with its arguments. */
export function importScriptsBy(loader: typeof load): void {
  load = loader;
}

function importScripts(...urls: unknown[]): void {
  load(urls.map(toDomString));
}

/** Engines that have URLPattern keep theirs. The polyfill puts itself into the global scope. */
function loadUrlPattern(): void {
  if ('URLPattern' in globalThis) return;
  // Not by Node's loader: a startup snapshot must not hold modules of it.
  new LexicalRequire({}).load(createRequire(import.meta.url).resolve('urlpattern-polyfill'));
}

/** The last step, once every class has its final form: members go where their interfaces have them, and Node's globals go away. */
export function sealGlobalScope(): void {
  const { crypto, performance, fetch, queueMicrotask, atob, btoa } = globalThis;
  const navigator = createNavigator();
  const caches = createCacheStorage();
  if (KEYS_SHOW_MATERIAL) installKeys(Object.getPrototypeOf(crypto.subtle) as object);
  defineScopeAttribute('self', () => globalThis);
  defineScopeAttribute('navigator', () => navigator);
  defineScopeAttribute('crypto', () => crypto);
  defineScopeAttribute('caches', () => caches);
  defineScopeAttribute('performance', () => performance, true);
  defineScopeAttribute('origin', () => 'null', true);
  defineScopeAttribute('isSecureContext', () => true);
  defineScopeAttribute('crossOriginIsolated', () => false);
  for (const [name, operation] of Object.entries(timerFunctions))
    defineScopeOperation(name, operation, operation.length);
  defineScopeOperation('structuredClone', structuredClone, 1);
  defineScopeOperation('importScripts', importScripts, 0);
  defineScopeOperation(
    'reportError',
    (...args: unknown[]) => {
      requireArguments('reportError', 1, args.length);
      reportError(args[0]);
    },
    1,
  );
  defineScopeOperation('fetch', fetch, 1);
  defineScopeOperation(
    'queueMicrotask',
    (...args: unknown[]) => {
      requireArguments('queueMicrotask', 1, args.length);
      const [callback] = args;
      if (!isCallable(callback)) throw new TypeError('queueMicrotask: the callback is no function');
      queueMicrotask(() => callback.call(globalThis));
    },
    1,
  );
  for (const [name, convert] of Object.entries({ atob, btoa })) {
    defineScopeOperation(
      name,
      (...args: unknown[]) => {
        requireArguments(name, 1, args.length);
        return convert(toDomString(args[0]));
      },
      1,
    );
  }
  loadUrlPattern();
  conformInterfaces();
  expose();
}

/** What takes a whole engine, which one that builds a startup snapshot is not. To be called before any user code runs. */
export function attachToEngine(): void {
  closeNodeLoader();
  installStackTraces();
  preparePause();
  refuseToBlock();
  installWasmStreaming();
}

/** Makes Node itself believe in the new pid. */
export function renewPid(pid: number): void {
  Object.defineProperty(process, 'pid', {
    value: pid,
    enumerable: true,
    configurable: true,
    writable: false,
  });
}

/** Where the worker's script lies: `location`, from its path. */
export function defineLocation(href: string): void {
  const location = createLocation(href);
  defineScopeAttribute('location', () => location);
}
