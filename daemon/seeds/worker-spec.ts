import { realpathSync, statSync } from 'node:fs';
import { type ForkOptions } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { type OciConfig, type OciResources } from '../../oci-spec/config.js';
import { readTurfMember } from '../../oci-spec/turf-member.js';
import { type WorkerLimits } from '../../oci-spec/worker-limits.js';
import { splitVariable } from '../environment.js';
import { asTurfError, readBundle } from '../containers/bundle.js';
import { type Container } from '../containers/container.js';
import { observedState } from '../containers/lifecycle.js';
import { type Machine } from '../machine.js';
import { codeOfBundle, type CodeDirectory } from './code-directory.js';

/** What a worker is to be, however it starts. */
export interface WorkerPlace {
  readonly bundle: string;
  readonly config: OciConfig;
  /** config.json of the worker's own bundle, if it has one. */
  readonly configText?: string;
  readonly code: CodeDirectory;
  readonly env: Readonly<Record<string, string>>;
  /** Of the worker's own bundle; a seed's limits are the seed's. */
  readonly resources: OciResources | undefined;
  /** Likewise. */
  readonly cgroupsPath?: string;
  readonly listen: string;
  readonly hostNetwork: boolean;
  /** Of the worker's own bundle, or its seed's. */
  readonly limits: WorkerLimits | undefined;
  /** Likewise. */
  readonly nodeModules: readonly string[] | undefined;
}

/** What a clone is made from, once bundle, seed and options have been put together. */
export interface WorkerSpec extends WorkerPlace {
  readonly seed: Container;
  /** See ForkOptions. */
  readonly maxRequests: number | undefined;
  readonly idleMs: number | undefined;
}

/**
 * Puts a fork request together: the caller's options before the worker's bundle, that before the seed's.
 *
 * @param configOf the config that a seed was made from
 * @throws TurfError naming the option or field at fault
 */
export function workerSpec(
  machine: Machine,
  options: ForkOptions,
  configOf: (seed: Container) => OciConfig,
): WorkerSpec {
  const seed =
    options.cold === true
      ? findSeed(machine, options.seed, 'seed')
      : readySeed(machine, options.seed, 'seed');
  const own = options.bundle === undefined ? undefined : readBundle(options.bundle);
  const config = own?.config ?? configOf(seed);
  const bundle = options.bundle ?? seed.facts.bundle;
  const hostNetwork = (options.network ?? memberNetwork(own?.config)) === 'host';
  if (hostNetwork) checkHostNetwork(seed);
  return {
    seed,
    bundle,
    config,
    ...(own === undefined ? {} : { configText: own.text }),
    code: codeDirectory(seed, options, bundle, own?.config),
    env: { ...environment(config), ...options.env },
    resources: own === undefined ? undefined : limitsOf(own.config),
    ...(own?.config.linux?.cgroupsPath === undefined ? {} : { cgroupsPath: own.config.linux.cgroupsPath }),
    listen:
      options.listen ?? memberListen(own?.config) ?? `unix:${machine.store.path(options.id, 'http.sock')}`,
    hostNetwork,
    ...runtimeSettings(config),
    maxRequests: options.maxRequests,
    idleMs: options.idleMs,
  };
}

/**
 * A seed that can be cloned now.
 *
 * @param path the option or field that names it
 * @throws TurfError TURF_ERR_NOT_FOUND, TURF_ERR_SEED
 */
export function readySeed(machine: Machine, id: string, path: string): Container {
  const seed = findSeed(machine, id, path);
  if (!seed.parked || seed.lifecycle.state !== 'running')
    throw new TurfError('TURF_ERR_SEED', `seed ${id} has not reached forkwait`, { path });
  return seed;
}

function findSeed(machine: Machine, id: string, path: string): Container {
  const seed = machine.containers.get(id);
  if (seed?.facts.kind !== 'seed') {
    const what = seed === undefined ? 'does not exist' : 'is not a seed';
    throw new TurfError('TURF_ERR_NOT_FOUND', `seed ${id} ${what}`, { path });
  }
  if (observedState(seed) === 'paused')
    throw new TurfError('TURF_ERR_SEED', `seed ${id} is paused`, { path });
  return seed;
}

/** A clone has the host's network only where its seed has it. @throws TurfError TURF_ERR_SEED */
export function checkHostNetwork(seed: Container): void {
  if (seed.facts.hostNetwork === true) return;
  const message = `network: seed ${seed.id} was not made with turf.network "host"`;
  throw new TurfError('TURF_ERR_SEED', message, { path: 'network' });
}

/** What the bundle tells the runtime. */
function runtimeSettings(config: OciConfig): Pick<WorkerPlace, 'limits' | 'nodeModules'> {
  const member = asTurfError(() => readTurfMember(config));
  if (member.kind === 'container') return { limits: undefined, nodeModules: undefined };
  return { limits: member.limits, nodeModules: member.nodeModules };
}

function memberNetwork(config: OciConfig | undefined): string | undefined {
  if (config === undefined) return undefined;
  const member = asTurfError(() => readTurfMember(config));
  return member.kind === 'container' ? undefined : member.network;
}

function memberListen(config: OciConfig | undefined): string | undefined {
  if (config === undefined) return undefined;
  const member = asTurfError(() => readTurfMember(config));
  return member.kind === 'worker' || member.kind === 'aworker' ? member.listen : undefined;
}

/** The caller's directory, the bundle's, or what the seed itself has loaded. */
function codeDirectory(
  seed: Container,
  options: ForkOptions,
  bundle: string,
  own: OciConfig | undefined,
): CodeDirectory {
  if (seed.facts.seedMode === 'userland') {
    if (options.code !== undefined) {
      throw new TurfError('TURF_ERR_USAGE', `code: seed ${seed.id} has loaded its code already`, {
        path: 'code',
      });
    }
    if (seed.facts.code !== undefined) return seed.facts.code;
  }
  if (options.code !== undefined) {
    if (statSync(options.code, { throwIfNoEntry: false })?.isDirectory() === true)
      return realpathSync(options.code);
    throw new TurfError('TURF_ERR_USAGE', `code: ${options.code} is not a directory`, { path: 'code' });
  }
  const member = own === undefined ? undefined : asTurfError(() => readTurfMember(own));
  if (own !== undefined && member !== undefined && member.kind !== 'container' && member.code !== undefined) {
    return codeOfBundle(bundle, own, member.code);
  }
  if (seed.facts.code !== undefined) return seed.facts.code;
  throw new TurfError('TURF_ERR_USAGE', 'code: a worker of a runtime seed needs a code directory', {
    path: 'code',
  });
}

/**
 * `linux.resources` without rules for devices, which engines always write: a worker can make no node, and its mounts hold none but the
 * daemon's own.
 */
export function limitsOf(config: OciConfig): OciResources | undefined {
  const { resources } = config.linux ?? {};
  if (resources === undefined) return undefined;
  const limits = { ...resources };
  delete limits.devices;
  return limits;
}

/** `process.env` as names and values. */
export function environment(config: OciConfig): Record<string, string> {
  return Object.fromEntries((config.process?.env ?? []).map(splitVariable));
}
