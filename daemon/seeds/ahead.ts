import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { TurfError } from '../../cli/turf-error.js';
import { enterAs } from '../cgroups/worker.js';
import { type Container } from '../containers/container.js';
import { type ExitWatch } from '../containers/exits.js';
import { UndoStack } from '../containers/undo.js';
import { type Machine } from '../machine.js';
import { PlanBuilder } from '../plan/encode.js';
import { aheadCgroupPath } from './ahead-cgroup.js';
import { AheadClone, identifyCode } from './ahead-clone.js';
import {
  addRoot,
  finishPlan,
  PlanDescriptors,
  requestClone,
  withPatience,
  WORKER_NAMESPACES,
} from './cloning.js';
import { openClone } from './seed-control.js';
import { canLimitLater, makeWorkerCgroup } from './worker-cgroup.js';
import { place } from './worker-plan.js';

const PATIENCE_MS = 10_000;
/** A fork that comes meanwhile goes first: a seed makes one clone at a time. */
const REST_MS = 20;
const MOST_FAILURES = 5;

export interface AheadWanted {
  readonly code: string;
  readonly hostNetwork: boolean;
  readonly resources: Parameters<typeof canLimitLater>[0];
}

interface Pool {
  readonly seed: Container;
  readonly size: number;
  readonly ready: AheadClone[];
  making: Promise<void> | undefined;
  timer: NodeJS.Timeout | undefined;
  failures: number;
  dropped: boolean;
}

/** Keeps clones of parked seeds ahead of their use, so that a fork has only to release one. */
export class AheadClones {
  readonly #machine: Machine;
  readonly #exits: ExitWatch;
  readonly #pools = new Map<string, Pool>();
  /** Forks under way, by seed. */
  readonly #forking = new Map<string, number>();

  constructor(machine: Machine, exits: ExitWatch) {
    this.#machine = machine;
    this.#exits = exits;
  }

  /** From now on keeps so many clones of a parked seed ready, until it ends or `drop`. */
  keep(seed: Container, size: number): void {
    if (size === 0 || this.#pools.has(seed.id)) return;
    const pool: Pool = {
      seed,
      size,
      ready: [],
      making: undefined,
      timer: undefined,
      failures: 0,
      dropped: false,
    };
    this.#pools.set(seed.id, pool);
    void seed.whenStopped().then(() => this.#discard(pool));
    this.#refillSoon(pool);
  }

  /** How many clones of a seed wait. */
  ready(seedId: string): number {
    return this.#pools.get(seedId)?.ready.length ?? 0;
  }

  /** A clone that fits; it is the caller's from now on. */
  take(seedId: string, wanted: AheadWanted): AheadClone | undefined {
    const pool = this.#pools.get(seedId);
    if (pool === undefined || wanted.hostNetwork || !canLimitLater(wanted.resources)) return undefined;
    for (;;) {
      const index = pool.ready.findIndex((clone) => clone.shows(wanted.code));
      const [clone] = index < 0 ? [] : pool.ready.splice(index, 1);
      if (clone === undefined) return undefined;
      if (clone.alive) return clone;
      void this.#end(clone);
    }
  }

  /** Runs a fork of a seed; clones are made ahead once none is under way. */
  async whileForking<T>(seedId: string, fork: () => Promise<T>): Promise<T> {
    this.#forking.set(seedId, (this.#forking.get(seedId) ?? 0) + 1);
    try {
      return await fork();
    } finally {
      const left = (this.#forking.get(seedId) ?? 1) - 1;
      if (left > 0) this.#forking.set(seedId, left);
      else this.#forking.delete(seedId);
      const pool = this.#pools.get(seedId);
      if (pool !== undefined) this.#refillSoon(pool);
    }
  }

  /** Ends what was made ahead of a seed's forks. */
  async drop(seedId: string): Promise<void> {
    const pool = this.#pools.get(seedId);
    if (pool !== undefined) await this.#discard(pool);
  }

  async dropAll(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => this.#discard(pool)));
  }

  async #discard(pool: Pool): Promise<void> {
    pool.dropped = true;
    clearTimeout(pool.timer);
    if (this.#pools.get(pool.seed.id) === pool) this.#pools.delete(pool.seed.id);
    await pool.making;
    await Promise.all(pool.ready.splice(0).map((clone) => this.#end(clone)));
  }

  async #end(clone: AheadClone): Promise<void> {
    try {
      await clone.end();
    } catch (err) {
      this.#machine.log.warn({ pid: clone.pid, err }, 'could not remove a clone that was made ahead');
    }
  }

  #refillSoon(pool: Pool): void {
    clearTimeout(pool.timer);
    if (pool.dropped || pool.ready.length >= pool.size || this.#forking.has(pool.seed.id)) return;
    pool.timer = setTimeout(() => {
      if (pool.making !== undefined || pool.dropped || this.#forking.has(pool.seed.id)) return;
      pool.making = this.#makeOne(pool).finally(() => {
        pool.making = undefined;
        if (pool.failures < MOST_FAILURES) this.#refillSoon(pool);
      });
    }, REST_MS);
    pool.timer.unref();
  }

  async #makeOne(pool: Pool): Promise<void> {
    const { id } = pool.seed;
    try {
      const clone = await this.#make(pool.seed);
      pool.failures = 0;
      pool.ready.push(clone);
    } catch (err) {
      pool.failures += 1;
      // Forks then make their own clones, and fail by themselves if there is a reason.
      if (!pool.dropped) this.#machine.log.warn({ id, err }, 'could not make a clone ahead');
    }
  }

  async #make(seed: Container): Promise<AheadClone> {
    const machine = this.#machine;
    const undo = new UndoStack();
    const descriptors = new PlanDescriptors();
    try {
      const request = requestClone(machine, seed, WORKER_NAMESPACES, false);
      undo.push('clone request', () => request.sync.close());
      const cgroupPath = aheadCgroupPath(seed.id);
      const cgroup = makeWorkerCgroup(machine, seed.id, { manager: 'cgroupfs', path: cgroupPath }, {});
      undo.push('cgroup', async () => {
        await cgroup.kill(constants.signals.SIGKILL);
        await cgroup.destroy();
      });
      const { tasksFds } = enterAs(cgroup, seed.facts.idBase ?? 0, machine.openAs);
      tasksFds.forEach((fd) => descriptors.own(fd));
      const plan = new PlanBuilder();
      place(plan, { tasksFds, ownNetwork: true });
      const code = seed.facts.code === undefined ? undefined : identifyCode(seed.facts.code);
      if (code !== undefined) addRoot(machine, plan, descriptors, code.path, false);
      const { planFd, fds, labels } = finishPlan(machine, plan, descriptors);
      request.prepare(planFd, fds);
      const process = await withPatience(
        request,
        PATIENCE_MS,
        async () => {
          const pid = await request.pid();
          const opened = openClone(machine.kernel, pid, seed.facts.process?.pid ?? 0, (...key) =>
            this.#isTaken(...key),
          );
          if (opened === undefined) throw new TurfError('TURF_ERR_SEED', 'the clone ended');
          undo.push('pidfd', () => closeSync(opened.pidfd));
          await request.ahead(labels, () => {
            cgroup.attach(pid);
            return Promise.resolve('');
          });
          return { pid, ...opened };
        },
        (cause) => new TurfError('TURF_ERR_TIMEOUT', `seed ${seed.id} made no clone ahead`, { cause }),
      );
      return new AheadClone(process, { request, cgroup, cgroupPath, code });
    } catch (error) {
      for (const err of await undo.unwind())
        machine.log.error({ id: seed.id, err }, 'could not undo a failed clone');
      throw error;
    } finally {
      descriptors.close();
    }
  }

  #isTaken(pid: number, startTime: bigint): boolean {
    const ahead = [...this.#pools.values()].flatMap(({ ready }) => ready);
    return this.#exits.watches(pid, startTime) || ahead.some((other) => other.pid === pid);
  }
}
