import { constants } from 'node:os';
import { dirname } from 'node:path';
import process from 'node:process';
import { clearTimeout, setTimeout } from 'node:timers';
import { pathToFileURL } from 'node:url';
import { installClock } from './clock.js';
import { defaultFetchOf, type DefaultFetch, handleFetch } from './fetch-handler.js';
import { exercise } from './exercise.js';
import { describe, die, installErrorEvents, type Leave, reportFailedRequest } from './fatal.js';
import {
  attachToEngine,
  defineLocation,
  type Identity,
  installGlobalScope,
  sealGlobalScope,
} from './global-scope.js';
import type { WorkerServer } from './http-server.js';
import { raise } from './lifecycle.js';
import { lifetimes, lifetimesSettled } from './lifetimes.js';
import { DEFAULT_LIMITS, type Limits } from './limits.js';
import { type WorkerConfig } from './config.js';
import { ModuleLoader } from './module-loader.js';
import { installRandomness } from './randomness.js';
import { retireAfter } from './retirement.js';
import { setListenersAside } from './scope-events.js';
import { writeText } from './standard-output.js';
import { installWebClasses } from './web-classes.js';

/** A signal ends the worker once its requests are answered and its `uninstall` event is over, at the latest after the grace period. */
const ENDING_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

export interface Runtime {
  readonly identity: Identity;
  /** Takes this process's errors, signals and end; call once, before user code runs. */
  attach(): void;
  /** Takes over a worker's identity and limits; from now on it has a limited time to start. */
  begin(worker: WorkerConfig): void;
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
  /** A server that answers as the worker does: `fetch` listeners, then the default export. */
  createServer(): WorkerServer;
  /** Makes the HTTP server ahead of `serve`, so that clones find it made. */
  prepareServer(): void;
  /**
   * Raises `install` and `activate`, then serves on those options (of net.Server.listen), if any.
   *
   * @param maxRequests the worker ends when it has answered so many
   */
  serve(listen?: object, maxRequests?: number): Promise<void>;
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
export function createRuntime(leave: Leave, http: () => typeof import('./http-server.js')): Runtime {
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
  const end = (signal: (typeof ENDING_SIGNALS)[number]): void => {
    const status = 128 + constants.signals[signal];
    // A second signal does not wait.
    if (ending) leave(status);
    ending = true;
    const { graceMs } = limits;
    if (graceMs > 0) {
      setTimeout(() => {
        writeText(
          2,
          `ended after ${graceMs} ms with ${server?.active ?? 0} requests and ${lifetimes()} waitUntil promises open\n`,
        );
        leave(status);
      }, graceMs);
    }
    void finish(server).then(() => leave(status));
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
  sealGlobalScope();

  const runtime: Runtime = {
    identity,
    attach() {
      installErrorEvents(dying);
      process.on('exit', (code) => leave(code));
      for (const signal of ENDING_SIGNALS) process.on(signal, end);
      attachToEngine();
    },
    begin(worker) {
      identity.id = worker.id;
      identity.env = worker.env;
      ({ limits } = worker);
      const { startMs } = limits;
      if (startMs === 0) return;
      starting = setTimeout(() => {
        writeText(2, `The worker has not started within ${startMs} ms\n`);
        dying(1);
      }, startMs);
    },
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
      server = runtime.createServer();
    },
    async serve(listen, maxRequests) {
      await raise('install');
      await raise('activate');
      clearTimeout(starting);
      if (listen === undefined) return;
      server ??= runtime.createServer();
      server.limit(limits);
      if (maxRequests !== undefined)
        retireAfter(server, maxRequests, () => void finish(server).then(() => leave(0)));
      await http().listening(server, listen);
    },
  };
  return runtime;
}

/** Runs `body` as the worker's main flow: its failure is an uncaught error. */
export function runWorker(leave: Leave, body: () => Promise<void>): void {
  body().catch((error: unknown) => die(leave, 'Uncaught ', error));
}
