import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ForkOptions, type SeedInfo } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { type TurfMember } from '../../oci-spec/turf-member.js';
import { type Bundle } from '../containers/bundle.js';
import { type Container } from '../containers/container.js';
import { type ContainerSpec } from '../containers/create.js';
import { deleteContainer } from '../containers/delete.js';
import { type ExitWatch } from '../containers/exits.js';
import { turfState } from '../containers/lifecycle.js';
import { readEnd } from '../containers/logs.js';
import { storedConfig } from '../containers/stored-config.js';
import { type OciConfig } from '../../oci-spec/config.js';
import { type Machine } from '../machine.js';
import { type CompiledSeccomp } from '../seccomp/compile.js';
import { AheadClones } from './ahead.js';
import { cloneSeed, type SeedCloning } from './clone-seed.js';
import { coldRequest, requestOfBundle } from './cold-request.js';
import { type ColdRequest, coldSpec } from './cold-spec.js';
import { forkWorker } from './fork.js';
import {
  coldFiles,
  makeColdRoot,
  makeSeedRoot,
  makeWorkerRoot,
  type RuntimeFile,
  runtimeFiles,
  snapshotSource,
} from './runtime-files.js';
import { forkCurrent } from './fork-current.js';
import { KeptSeeds } from './kept-seeds.js';
import { SeedKeeper } from './keeper.js';
import { makeSeed, type SeedMaking } from './make-seed.js';
import { seedParks } from './seed-control.js';
import { seedSpec } from './seed-spec.js';
import { Snapshots } from './snapshots.js';
import { StandIns } from './stand-in.js';
import { WORKER_SECCOMP } from './worker-seccomp.js';
import { type Given } from './worker-home.js';
import { type WorkerSpec, workerSpec } from './worker-spec.js';

/** Bytes. */
const STDERR_SHOWN = 4000;
const DEFAULT_POOL = 1;

/** Seeds and their clones. */
export class Seeds {
  readonly #machine: Machine;
  readonly kept: KeptSeeds;
  readonly keeper: SeedKeeper;
  readonly #exits: ExitWatch;
  readonly #files: readonly RuntimeFile[];
  readonly #coldFiles: readonly RuntimeFile[];
  readonly #forks = new Map<string, number>();
  /** What seeds were made from: every fork asks for it. */
  readonly #configs = new WeakMap<Container, OciConfig>();
  readonly #ahead: AheadClones;
  readonly #snapshots: Snapshots;
  #seccomp: CompiledSeccomp | undefined;
  readonly standIns: StandIns;

  constructor(machine: Machine, exits: ExitWatch) {
    this.#machine = machine;
    this.#exits = exits;
    this.#ahead = new AheadClones(machine, exits);
    this.standIns = new StandIns(machine);
    this.#files = runtimeFiles();
    this.#coldFiles = coldFiles();
    this.#snapshots = new Snapshots(machine.store.root, snapshotSource(), machine.log);
    this.kept = new KeptSeeds(machine.store.root);
    this.keeper = new SeedKeeper(machine, this.kept, {
      make: (making) => this.#make(making),
      remove: (seed) => machine.locks.run(seed.id, () => this.#remove(seed)),
      clones: (seed) => this.clones(seed),
      forks: (id) => this.#forks.get(id) ?? 0,
      setForks: (id, count) => void this.#forks.set(id, count),
    });
    makeSeedRoot(join(machine.store.root, '.seed-root'), this.#files);
    makeWorkerRoot(join(machine.store.root, '.worker-root'));
    makeColdRoot(join(machine.store.root, '.cold-root'), this.#coldFiles);
  }

  /** The container that a seed's bundle stands for. */
  spec(id: string, bundle: Bundle, member: Extract<TurfMember, { kind: 'seed' }>): ContainerSpec {
    return seedSpec(this.#machine, id, bundle, member, this.#files);
  }

  /** The container of a worker that starts without a seed. */
  coldSpec(
    id: string,
    bundle: Bundle,
    member: Extract<TurfMember, { kind: 'aworker' }>,
  ): Promise<ContainerSpec> {
    const request = requestOfBundle(this.#machine, id, bundle, member);
    return this.#coldSpec(id, request);
  }

  /** The container that takes the place of a clone of a seed that does not fork. */
  coldForkSpec(options: ForkOptions): Promise<ContainerSpec> {
    const request = coldRequest(this.#machine, options, (seed) => this.#configOf(seed));
    return this.#coldSpec(options.id, request);
  }

  #coldSpec(id: string, request: ColdRequest): Promise<ContainerSpec> {
    // A snapshot has the flags of the engine that built it: node refuses one with another bound for its heap.
    const fits = (request.limits?.heapBytes ?? 0) === 0;
    const snapshot = fits ? this.#snapshots.current() : undefined;
    return coldSpec(this.#machine, id, request, this.#coldFiles, snapshot, this.#filter());
  }

  /**
   * Waits until a started seed has parked.
   *
   * @throws TurfError TURF_ERR_SEED with what the seed wrote to stderr where it ended, TURF_ERR_TIMEOUT
   */
  async whenParked(seed: Container, timeoutMs: number): Promise<void> {
    const waiting = new AbortController();
    const exited = seed.whenStopped().then(() => 'exited' as const);
    const timeout = delay(timeoutMs, 'timeout' as const, { signal: waiting.signal });
    timeout.catch(() => undefined);
    try {
      const outcome = await Promise.race([this.#park(seed, waiting.signal), exited, timeout]);
      if (outcome === 'parked') return;
      if (outcome === 'timeout') {
        throw new TurfError('TURF_ERR_TIMEOUT', `seed ${seed.id} did not reach forkwait in ${timeoutMs} ms`);
      }
      await exited;
      throw new TurfError(
        'TURF_ERR_SEED',
        `seed ${seed.id} ended before it reached forkwait${this.#stderr(seed)}`,
      );
    } finally {
      waiting.abort();
    }
  }

  /** Learns, without waiting for it, when a seed parks: after an engine's start, or a restart of the daemon. */
  followParking(seed: Container): void {
    const waiting = new AbortController();
    void seed.whenStopped().then(() => waiting.abort());
    this.#park(seed, waiting.signal).catch((err: unknown) => {
      this.#machine.log.warn({ id: seed.id, err }, 'could not follow a seed to its fork point');
    });
  }

  info(seed: Container): SeedInfo {
    const { facts, lifecycle } = seed;
    return {
      id: facts.id,
      ...this.kept.role(facts.id),
      mode: facts.seedMode ?? 'runtime',
      pid: lifecycle.state === 'stopped' ? 0 : (facts.process?.pid ?? 0),
      state: turfState(seed),
      bundle: facts.bundle,
      created: facts.created,
      forks: this.#forks.get(facts.id) ?? 0,
      workers: this.clones(seed).filter((clone) => clone.facts.kind === 'worker').length,
      ...(facts.seed === undefined ? {} : { from: facts.seed }),
      pool: { size: poolSize(seed), ready: this.#ahead.ready(seed.id) },
    };
  }

  /** What was cloned from it and lives: workers, and seeds of their own code. */
  clones(seed: Container): Container[] {
    return [...this.#machine.containers.values()].filter(
      (other) => other.facts.seed === seed.id && other.lifecycle.state !== 'stopped',
    );
  }

  /**
   * Clones the current version of a seed, by its name; a version's own id names just that version.
   *
   * @param given see forkWorker
   */
  fork(options: ForkOptions, given: Given = {}): ReturnType<typeof forkWorker> {
    return forkCurrent(this.keeper, options, (version) => this.#fork({ ...options, seed: version }, given));
  }

  /** What a later fork will be made from; the seed need not be ready now. @throws TurfError naming the option at fault */
  workerSpec(options: ForkOptions): WorkerSpec {
    const later = { ...options, seed: this.kept.current(options.seed), cold: true };
    return workerSpec(this.#machine, later, (container) => this.#configOf(container));
  }

  #fork(options: ForkOptions, given: Given): ReturnType<typeof forkWorker> {
    const context = {
      machine: this.#machine,
      exits: this.#exits,
      ahead: this.#ahead,
      seccomp: this.#filter(),
      configOf: (seed: Container): OciConfig => this.#configOf(seed),
    };
    return this.#whileForking(options.seed, () => forkWorker(context, options, given));
  }

  /** Ends the clones that were made ahead of a seed's forks. */
  dropAhead(id: string): Promise<void> {
    return this.#ahead.drop(id);
  }

  /** The same for all seeds, and whatever else is made for later: the daemon is about to stop. */
  dropAllAhead(): Promise<void> {
    this.#snapshots.stop();
    return this.#ahead.dropAll();
  }

  /** The workers' system call filter, compiled once. */
  #filter(): CompiledSeccomp {
    this.#seccomp ??= this.#machine.seccomp.compile(WORKER_SECCOMP);
    return this.#seccomp;
  }

  #make(making: SeedMaking): Promise<Container> {
    const makers = {
      spec: this.spec.bind(this),
      whenParked: this.whenParked.bind(this),
      dropAhead: this.dropAhead.bind(this),
      clone: (cloning: SeedCloning) => this.#clone(cloning),
    };
    return this.#machine.locks.run(making.id, () => makeSeed(this.#machine, this.#exits, makers, making));
  }

  /** Clones the current version of a base, once it has parked. */
  #clone(cloning: SeedCloning): Promise<Container> {
    return forkCurrent(this.keeper, { seed: cloning.from, whenUnready: 'wait' }, (version) =>
      this.#whileForking(version, () => cloneSeed(this.#machine, this.#exits, { ...cloning, from: version })),
    );
  }

  /** Counts a clone that is made of a seed, of whatever kind. */
  async #whileForking<T>(seed: string, fork: () => Promise<T>): Promise<T> {
    const forked = await this.#ahead.whileForking(seed, fork);
    this.#forks.set(seed, (this.#forks.get(seed) ?? 0) + 1);
    return forked;
  }

  async #remove(seed: Container): Promise<void> {
    if (this.#machine.containers.get(seed.id) !== seed) return;
    await this.dropAhead(seed.id);
    await deleteContainer(this.#machine, seed, true);
  }

  #configOf(seed: Container): OciConfig {
    const config = this.#configs.get(seed) ?? storedConfig(this.#machine.store, seed.id);
    this.#configs.set(seed, config);
    return config;
  }

  async #park(seed: Container, abandoned: AbortSignal): Promise<'parked' | 'exited'> {
    const path = this.#machine.store.path(seed.id, 'control.sock');
    const parked = await seedParks(this.#machine.kernel, path, abandoned);
    if (parked === undefined) return 'exited';
    if (!seed.parked) {
      seed.park();
      this.keeper.parked(seed.id);
      this.#ahead.keep(seed, poolSize(seed));
      const { process } = seed.facts;
      this.#machine.log.info({ id: seed.id, pid: process?.pid, ...parked }, 'seed parked');
      this.#machine.events.publish({
        type: 'seed-ready',
        id: seed.id,
        ...(process === undefined ? {} : { pid: process.pid }),
      });
    }
    return 'parked';
  }

  #stderr(seed: Container): string {
    if (!seed.facts.logs) return '';
    const text = readEnd(this.#machine.store.logPath(seed.id, 'stderr'), STDERR_SHOWN).trim();
    return text === '' ? '' : `:\n${text}`;
  }
}

function poolSize(seed: Container): number {
  return seed.facts.pool ?? DEFAULT_POOL;
}
