import { hostname } from 'node:os';
import process from 'node:process';
import { ErrorEvent, ExtendableEvent, FetchEvent, PromiseRejectionEvent } from './events.js';
import { hideGlobal } from './hidden-globals.js';
import {
  addEventListener,
  defineHandlerAttribute,
  dispatchEvent,
  removeEventListener,
  reportError,
} from './scope-events.js';
import { createConsole } from './standard-output.js';
import { createTimers } from './timers.js';
import { VERSION } from './version.js';

/** What Node adds to the global scope and no worker may see, nor Node's own code needs to find there. */
const NODE_GLOBALS = ['process', 'gc', 'localStorage', 'sessionStorage', 'Storage'] as const;

const HANDLERS = [
  'install',
  'activate',
  'fetch',
  'serialize',
  'deserialize',
  'uninstall',
  'error',
  'unhandledrejection',
];

/** Who this worker is; renewed in every clone. */
export interface Identity {
  id: string;
  pid: number;
  env: Record<string, string>;
}

class Navigator {
  readonly userAgent = `Aworker/${VERSION}`;
  readonly platform = 'Linux';
  readonly language = 'en-US';
  readonly languages = Object.freeze(['en-US']);
  readonly onLine = true;
  readonly hardwareConcurrency = 1;
}

function define(name: string, value: unknown, enumerable = false): void {
  Object.defineProperty(globalThis, name, { value, writable: true, enumerable, configurable: true });
}

/** Loads Node's lazy Web classes: their modules look up Node globals while they are evaluated. */
function loadFetch(): void {
  new Request('http://localhost/', { method: 'POST', body: new URLSearchParams() });
  fetch('data:,').catch(() => undefined);
}

/** Turns Node's global scope into a worker's. Nothing of ours may look up a Node global afterwards. */
export function installGlobalScope(identity: Identity): void {
  loadFetch();
  define('console', createConsole());
  for (const [name, value] of Object.entries(createTimers())) define(name, value, true);
  define('self', globalThis);
  for (const [name, value] of Object.entries({
    addEventListener,
    removeEventListener,
    dispatchEvent,
    reportError,
  })) {
    define(name, value, true);
  }
  for (const value of [ExtendableEvent, FetchEvent, ErrorEvent, PromiseRejectionEvent, Navigator])
    define(value.name, value);
  for (const type of HANDLERS) defineHandlerAttribute(globalThis, type);
  define('navigator', Object.freeze(new Navigator()), true);
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
  Object.defineProperty(globalThis, Symbol.toStringTag, {
    value: 'ServiceWorkerGlobalScope',
    configurable: true,
  });
  for (const name of ['Buffer', 'global', 'setImmediate', 'clearImmediate'] as const) hideGlobal(name);
  for (const name of NODE_GLOBALS) Reflect.deleteProperty(globalThis, name);
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
  const url = new URL(href);
  const { protocol, host, hostname: name, port, pathname, search, hash, origin } = url;
  define(
    'location',
    Object.freeze({
      href: url.href,
      protocol,
      host,
      hostname: name,
      port,
      pathname,
      search,
      hash,
      origin,
      toString: () => url.href,
    }),
    true,
  );
}
