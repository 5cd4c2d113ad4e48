import { type Server } from 'node:http';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { installClock } from './clock.js';
import { defaultFetchOf, type DefaultFetch, handleFetch } from './fetch-handler.js';
import { exercise } from './exercise.js';
import { describe, die, installErrorEvents, type Leave } from './fatal.js';
import { defineLocation, type Identity, installGlobalScope, sealGlobalScope } from './global-scope.js';
import { createHttpServer, listening } from './http-server.js';
import { raise } from './lifecycle.js';
import { ModuleLoader } from './module-loader.js';
import { installRandomness } from './randomness.js';
import { setListenersAside } from './scope-events.js';
import { writeText } from './standard-output.js';

/** A signal ends the worker after its `uninstall` event; whoever sent it kills after a grace period of his own. */
const ENDING_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

export interface Runtime {
  readonly identity: Identity;
  /** Answers as the worker does: `fetch` listeners, then the default export. */
  readonly handle: (request: Request) => Promise<Response | undefined>;
  /** Evaluates the worker's main module. */
  load(main: string): Promise<void>;
  /** Calls `action` once, before user code sees the next request. */
  onFirstRequest(action: () => void): void;
  /** Forgets the loaded module's default export, but for `rehearse`. */
  unload(): void;
  /** Takes the user's code out of the path of a request, and puts back what was loaded before `unload`. @returns undoes it */
  rehearse(): () => void;
  /** Answers one request that comes from nowhere: the next finds its path warm. User code is not called. */
  exercise(): Promise<void>;
  /** Makes the HTTP server ahead of `serve`, so that clones find it made. */
  prepareServer(): void;
  /** Raises `install` and `activate`, then serves on those options (of net.Server.listen), if any. */
  serve(listen?: object): Promise<void>;
}

async function uninstall(leave: Leave, signal: (typeof ENDING_SIGNALS)[number]): Promise<void> {
  try {
    await raise('uninstall');
  } catch (error) {
    writeText(2, `${describe(error)}\n`);
  }
  leave(128 + constants.signals[signal]);
}

/**
 * Makes this process a worker's: global scope, events, exits.
 *
 * @param leave how the process ends; Node's own exit calls it too
 */
export function createRuntime(leave: Leave): Runtime {
  const identity: Identity = { id: '', pid: process.pid, env: {} };
  let defaultFetch: DefaultFetch | undefined;
  let warmFetch: DefaultFetch | undefined;
  let beforeRequest: (() => void) | undefined;
  let server: Server | undefined;
  const handle = (request: Request): Promise<Response | undefined> => {
    beforeRequest?.();
    beforeRequest = undefined;
    return handleFetch(request, defaultFetch, identity.env);
  };

  const rehearse = (): (() => void) => {
    const putBack = setListenersAside();
    const users = defaultFetch;
    defaultFetch = warmFetch;
    return () => {
      defaultFetch = users;
      putBack();
    };
  };

  installErrorEvents(leave);
  process.on('exit', (code) => leave(code));
  for (const signal of ENDING_SIGNALS) process.once(signal, () => void uninstall(leave, signal));
  installClock();
  installRandomness();
  installGlobalScope(identity);
  sealGlobalScope();

  return {
    identity,
    handle,
    async load(main) {
      defineLocation(pathToFileURL(main).href);
      defaultFetch = defaultFetchOf(await new ModuleLoader(dirname(main)).import(main));
    },
    onFirstRequest(action) {
      beforeRequest = action;
    },
    unload() {
      warmFetch = defaultFetch;
      defaultFetch = undefined;
    },
    rehearse,
    async exercise() {
      const undo = rehearse();
      try {
        await exercise((server ??= createHttpServer(handle)));
      } finally {
        undo();
      }
    },
    prepareServer() {
      server = createHttpServer(handle);
    },
    async serve(listen) {
      await raise('install');
      await raise('activate');
      if (listen !== undefined) await listening(server ?? createHttpServer(handle), listen);
    },
  };
}

/** Runs `body` as the worker's main flow: its failure is an uncaught error. */
export function runWorker(leave: Leave, body: () => Promise<void>): void {
  body().catch((error: unknown) => die(leave, 'Uncaught ', error));
}
