/** What the daemon tells a runtime: TURF_SEED and TURF_WORKER in the environment, `info` in a fork request. */

import { isBuiltin } from 'node:module';
import { type Limits, parseLimits } from './limits.js';

export type SeedMode = 'runtime' | 'userland';

/** TURF_SEED, and `seed` of a clone that becomes a seed itself. */
export interface SeedConfig {
  readonly mode: SeedMode;
  /** Absolute path of the user's main module; `userland` only. */
  readonly main: string;
  /** The listening control socket. */
  readonly controlFd: number;
  /** What the user's code may import of Node.js: `node:NAME`. */
  readonly nodeModules: readonly string[];
}

/** `info` of a fork request, and TURF_WORKER for a worker that is not a clone. */
export interface WorkerConfig {
  readonly id: string;
  readonly env: Record<string, string>;
  /** Absolute path of the user's main module, unless the seed has loaded it. */
  readonly main: string;
  /** The listening HTTP socket; none: the worker ends when nothing is pending. */
  readonly listenFd?: number;
  /** The clone is nobody's worker: it shows what workers will touch (native-shim/lib/park_rehearse.c). */
  readonly rehearsal?: true;
  /** The clone is nobody's worker yet: what it becomes follows later. */
  readonly ahead?: true;
  /** The clone is no worker: it loads code, parks in its turn, and is cloned. */
  readonly seed?: SeedConfig;
  /** The worker ends when it has answered so many. */
  readonly maxRequests?: number;
  /** The worker ends when nothing was asked of it for so many milliseconds. */
  readonly idleMs?: number;
  /** For development: where to listen, printed once it does. */
  readonly listen?: string;
  readonly limits: Limits;
  /** What code that is loaded in the worker may import of Node.js: `node:NAME`. */
  readonly nodeModules: readonly string[];
}

export const DEFAULT_MAIN = '/code/index.js';

function parseObject(source: string, text: string): Record<string, unknown> {
  return object(source, JSON.parse(text));
}

function object(source: string, value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError(`${source}: not an object`);
  return { ...value };
}

function text(source: string, value: unknown, fallback?: string): string {
  if (value === undefined && fallback !== undefined) return fallback;
  if (typeof value === 'string') return value;
  throw new TypeError(`${source}: not a string`);
}

function descriptor(source: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 3) return value;
  throw new TypeError(`${source}: not a descriptor above 2`);
}

function count(source: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1) return value;
  throw new TypeError(`${source}: not a number above 0`);
}

function moduleNames(source: string, value: unknown = []): string[] {
  if (!Array.isArray(value)) throw new TypeError(`${source}: not a list`);
  return value.map((name: unknown, i) => {
    if (typeof name === 'string' && name.startsWith('node:') && isBuiltin(name)) return name;
    throw new TypeError(`${source}[${i}]: not a module of Node.js as node:NAME: ${String(name)}`);
  });
}

/** @throws TypeError, SyntaxError */
export function parseSeedConfig(source: string): SeedConfig {
  return seedConfig('TURF_SEED', parseObject('TURF_SEED', source));
}

function seedConfig(
  source: string,
  { mode, main, controlFd, nodeModules }: Record<string, unknown>,
): SeedConfig {
  if (mode !== 'runtime' && mode !== 'userland')
    throw new TypeError(`${source}.mode: "runtime" or "userland"`);
  return {
    mode,
    main: text(`${source}.main`, main, DEFAULT_MAIN),
    controlFd: descriptor(`${source}.controlFd`, controlFd),
    nodeModules: moduleNames(`${source}.nodeModules`, nodeModules),
  };
}

/** @throws TypeError, SyntaxError */
export function parseWorkerConfig(source: string): WorkerConfig {
  const info = parseObject('info', source);
  const {
    id,
    env,
    main,
    listenFd,
    listen,
    limits,
    rehearsal,
    ahead,
    seed,
    maxRequests,
    idleMs,
    nodeModules,
  } = info;
  if (env !== undefined && (typeof env !== 'object' || env === null))
    throw new TypeError('info.env: not an object');
  return {
    id: text('info.id', id, ''),
    env: Object.fromEntries(
      Object.entries(env ?? {}).map(([key, value]) => [key, text(`info.env.${key}`, value)]),
    ),
    main: text('info.main', main, DEFAULT_MAIN),
    ...(maxRequests === undefined ? {} : { maxRequests: count('info.maxRequests', maxRequests) }),
    ...(idleMs === undefined ? {} : { idleMs: count('info.idleMs', idleMs) }),
    ...(rehearsal === true ? { rehearsal } : {}),
    ...(ahead === true ? { ahead } : {}),
    ...(seed === undefined ? {} : { seed: seedConfig('info.seed', object('info.seed', seed)) }),
    limits: parseLimits('info.limits', limits),
    nodeModules: moduleNames('info.nodeModules', nodeModules),
    ...(listenFd === undefined || listenFd === null
      ? {}
      : { listenFd: descriptor('info.listenFd', listenFd) }),
    ...(listen === undefined ? {} : { listen: text('info.listen', listen) }),
  };
}

/** Takes a variable out of the environment: user code and child processes must not find it there. */
export function takeVariable(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (value === undefined) throw new Error(`${name} is not set: this program is started by turf`);
  Reflect.deleteProperty(env, name);
  return value;
}
