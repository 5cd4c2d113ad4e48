import { constants } from 'node:os';
import { dirname } from 'node:path';
import process from 'node:process';
import { clearTimeout, setTimeout } from 'node:timers';
import { pathToFileURL } from 'node:url';
import { installClock } from '../seed/clock.js';
import { defaultFetchOf, type DefaultFetch, handleFetch } from './fetch-handler.js';
import { exercise } from '../seed/exercise.js';
import { describe, die, installErrorEvents, type Leave, reportFailedRequest } from './fatal.js';
import {
  attachToEngine,
  defineLocation,
  type Identity,
  importScriptsBy,
  installGlobalScope,
  installWebSocketPair,
  sealGlobalScope,
} from '../scope/global-scope.js';
import type { WorkerServer } from '../http/server.js';
import { endWhenIdle } from '../http/idleness.js';
import { raise } from './phases.js';
import { lifetimes, lifetimesSettled } from './lifetimes.js';
import { DEFAULT_LIMITS, type Limits } from '../config/limits.js';
import { type WorkerConfig } from '../config/config.js';
import { watchLoop } from '../engine/loop-watch.js';
import { ModuleLoader } from '../modules/module-loader.js';
import { installRandomness } from '../seed/randomness.js';
import { retireAfter } from '../http/retirement.js';
import { setListenersAside } from '../scope/scope-events.js';
import { writeText } from '../engine/standard-output.js';
import { installWebClasses } from '../views/web-classes.js';
import { useProxies } from '../web/fetch-family.js';

/** A signal ends the worker once its requests are answered and its `uninstall` event is over, at the latest after the grace period. */
const ENDING_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

export interface Runtime {
  readonly identity: Identity;
  /** Takes this process's errors, signals and end; call once, before user code runs. */
  attach(): void;
  /** Takes over a worker's identity and limits; from now on it has a limited time to start. */
  begin(worker: WorkerConfig): void;
  /**
   * Evaluates the worker's main module, which may import those modules of Node.js.
   *
   * @param seen is told every file that the code imports, also one that is not there
   */
  load(main: string, nodeModules: readonly string[], seen?: (path: string) => void): Promise<void>;
  /** Calls `action` once, before user code sees the next request. */
  onFirstRequest(action: () => void): void;
  /** Forgets the loaded module's default export, but for `rehearse`. */
  unload(): void;
  /** Takes the user's code out of the path of a request, and puts back what was loaded before `unload`. @returns undoes it */
  rehearse(): () => void;
  /** Answers one request that comes from nowhere: the next finds its path warm. User code is not called. */
  exercise(): Promise<void>;
  /** A server that answers as the worker does: `fetch` listeners, then the default export. */
  createServer(): WorkerServer;
  /** Makes the HTTP server ahead of `serve`, so that clones find it made. */
  prepareServer(): WorkerServer;
  /**
   * Raises `install` and `activate`, then serves on those options (of net.Server.listen), if any.
   *
   * @param until when the worker ends by itself
   */
  serve(listen?: object, until?: Pick<WorkerConfig, 'maxRequests' | 'idleMs'>): Promise<void>;
}

/** Of a limit, of which 0 is none, and a time. */
function shorter(limitMs: number, milliseconds: number): number {
  return limitMs === 0 ? milliseconds : Math.min(limitMs, milliseconds);
}

async function finish(server: WorkerServer | undefined): Promise<void> {
  try {
    await server?.stop();
    await lifetimesSettled();
    await raise('uninstall');
    await lifetimesSettled();
  } catch (error) {
    writeText(2, `${describe(error)}\n`);
  }
}

/**
 * Makes this process's engine a worker's: its global scope. What belongs to the process follows in `attach`.
 *
 * @param leave how the process ends; Node's own exit calls it too
 * @param http what makes servers, asked when the first is made: node:http cannot be part of a startup snapshot
 */
export function createRuntime(leave: Leave, http: () => typeof import('../http/server.js')): Runtime {
  const identity: Identity = { id: '', pid: process.pid, env: {} };
  let defaultFetch: DefaultFetch | undefined;
  let warmFetch: DefaultFetch | undefined;
  let beforeRequest: (() => void) | undefined;
  let server: WorkerServer | undefined;
  let ending = false;
  let limits: Limits = DEFAULT_LIMITS;
  let starting: NodeJS.Timeout | undefined;
  const handle = (request: Request): unknown => {
    if (beforeRequest !== undefined) {
      beforeRequest();
      beforeRequest = undefined;
    }
    return handleFetch(request, defaultFetch, identity.env);
  };
  const end = (status: number): void => {
    ending = true;
    const { graceMs } = limits;
    if (graceMs > 0) {
      setTimeout(() => {
        writeText(
          2,
          `ended after ${graceMs} ms with ${server?.active ?? 0} requests, ${server?.webSockets ?? 0} WebSockets and ${lifetimes()} waitUntil promises open\n`,
        );
        leave(status);
      }, graceMs);
    }
    void finish(server).then(() => leave(status));
  };
  const endBySignal = (signal: (typeof ENDING_SIGNALS)[number]): void => {
    const status = 128 + constants.signals[signal];
    // A second signal does not wait.
    if (ending) leave(status);
    end(status);
  };
  const dying: Leave = (code) => {
    server?.lastWords();
    return leave(code);
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

  installClock();
  installRandomness();
  installGlobalScope(identity);
  const classes = installWebClasses();
  installWebSocketPair(classes.response);
  sealGlobalScope();

  const runtime: Runtime = {
    identity,
    attach() {
      installErrorEvents(dying);
      process.on('exit', (code) => leave(code));
      for (const signal of ENDING_SIGNALS) process.on(signal, endBySignal);
      attachToEngine();
    },
    begin(worker) {
      identity.id = worker.id;
      identity.env = worker.env;
      ({ limits } = worker);
      useProxies(worker.env);
      watchLoop(limits);
      const { startMs } = limits;
      if (startMs === 0) return;
      starting = setTimeout(() => {
        writeText(2, `The worker has not started within ${startMs} ms\n`);
        dying(1);
      }, startMs);
    },
    async load(main, nodeModules, seen) {
      defineLocation(pathToFileURL(main).href);
      const loader = new ModuleLoader(dirname(main), nodeModules, seen);
      importScriptsBy((urls) => loader.importScripts(pathToFileURL(main).href, urls));
      defaultFetch = defaultFetchOf(await loader.import(main));
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
        await exercise((server ??= runtime.createServer()));
      } finally {
        undo();
      }
    },
    createServer: () =>
      new (http().WorkerServer)(handle, classes, (id, error, promise) =>
        reportFailedRequest(dying, id, error, promise),
      ),
    prepareServer() {
      return (server = runtime.createServer());
    },
    async serve(listen, { maxRequests, idleMs } = {}) {
      await raise('install');
      await raise('activate');
      clearTimeout(starting);
      if (listen === undefined) return;
      server ??= runtime.createServer();
      const own = server;
      const endOnce = (): void => {
        if (!ending) end(0);
      };
      // Clients are told how long a kept connection lasts: no longer than the worker itself may have nothing to do.
      own.limit(
        idleMs === undefined ? limits : { ...limits, keepAliveMs: shorter(limits.keepAliveMs, idleMs) },
      );
      if (maxRequests !== undefined) retireAfter(own, maxRequests, endOnce);
      if (idleMs !== undefined) endWhenIdle(own, idleMs, () => own.active > 0 || lifetimes() > 0, endOnce);
      await http().listening(server, listen);
    },
  };
  return runtime;
}

/** Runs `body` as the worker's main flow: its failure is an uncaught error. */
export function runWorker(leave: Leave, body: () => Promise<void>): void {
  body().catch((error: unknown) => die(leave, 'Uncaught ', error));
}
