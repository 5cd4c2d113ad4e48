import { type SeedPolicy, type SeedRollOptions } from '../../cli/seed-operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { type Container } from '../containers/container.js';
import { endReason } from '../containers/end-reason.js';
import { endFirstProcess } from '../containers/kill.js';
import { type Machine } from '../machine.js';
import { backOff } from './back-off.js';
import { type KeptSeed } from './kept-seed.js';
import { type KeptSeeds } from './kept-seeds.js';
import { hangs, wearOf } from './liveness.js';
import { type SeedMaking } from './make-seed.js';
import { type SeedRecord } from './seed-records.js';
import { makeWithin, type VersionMaking, versionId } from './seed-versions.js';

const TICK_MS = 1000;
const DEFAULT_RESTARTS = 10;
/** A version that lived so long parked starts the count of failures anew. */
const STABLE_MS = 60_000;
/** Between attempts to replace a version that still serves. */
const ROTATION_RETRY_MS = 10_000;

/**
 * Keeps seeds by their policy: one name, one current version that forks are made from, former versions that end when
 * nothing needs them. A version is a container: the first has the seed's name as its id, later ones NAME+NUMBER.
 */
export class SeedKeeper {
  readonly #machine: Machine;
  readonly #versions: VersionMaking;
  readonly #kept: KeptSeeds;

  constructor(machine: Machine, kept: KeptSeeds, versions: VersionMaking) {
    this.#machine = machine;
    this.#versions = versions;
    this.#kept = kept;
    setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** Whether a seed of that name is kept. */
  keeps(name: string): boolean {
    return this.#kept.has(name);
  }

  /** Whether that version is the current one, and has parked. */
  ready(name: string, version: string): boolean {
    const kept = this.#kept.get(name);
    return kept !== undefined && kept.record.current === version && this.#isReady(kept);
  }

  /** @throws TurfError where the first version does not park */
  async create(making: SeedMaking, policy: SeedPolicy): Promise<Container> {
    const { id: name, bundle, timeoutMs, pool, from } = making;
    const container = await makeWithin(this.#versions, making, policy);
    const record: SeedRecord = {
      ...{ version: 1, name, bundle, timeoutMs, policy, number: 1, current: name },
      ...{ forks: 0, failures: 0, draining: [] },
      ...(pool === undefined ? {} : { pool }),
      ...(from === undefined ? {} : { from }),
    };
    const kept = this.#kept.add(record);
    this.#follow(kept, container);
    return container;
  }

  /**
   * Prepares a new version beside the old; forks go to it once it has parked.
   *
   * @returns the new version
   * @throws TurfError TURF_ERR_NOT_FOUND, TURF_ERR_STATE, or why the new version did not park: then nothing has changed
   */
  async roll(options: SeedRollOptions): Promise<Container> {
    const kept = this.#kept.get(options.id);
    if (kept === undefined) {
      const exists = this.#machine.containers.get(options.id)?.facts.kind === 'seed';
      const what = exists ? 'was not made by seed create: it has no versions' : 'does not exist';
      throw new TurfError(exists ? 'TURF_ERR_STATE' : 'TURF_ERR_NOT_FOUND', `seed ${options.id} ${what}`, {
        path: 'id',
      });
    }
    return this.#replace(kept, 'roll', options);
  }

  /**
   * Waits for a version that has parked.
   *
   * @throws TurfError TURF_ERR_SEED where none will come, TURF_ERR_TIMEOUT
   */
  async whenReady(name: string, timeoutMs: number): Promise<void> {
    const kept = this.#kept.get(name);
    if (kept === undefined || this.#isReady(kept)) return;
    await kept.whenReady(timeoutMs);
  }

  /** A version has parked, maybe one that an earlier daemon made: who waits for it goes on. */
  parked(version: string): void {
    for (const kept of this.#kept.all()) if (kept.record.current === version) kept.ready();
  }

  /** A fork of that name begins; `left` is called with the version when it has ended, well or not. */
  entered(name: string): string {
    const kept = this.#kept.get(name);
    if (kept === undefined) return name;
    kept.enter(kept.record.current);
    return kept.record.current;
  }

  left(name: string, version: string): void {
    const kept = this.#kept.get(name);
    if (kept === undefined) return;
    kept.leave(version);
    const { policy, current, draining } = kept.record;
    const forks = this.#versions.forks(current);
    if (policy.maxForks !== undefined && version === current) {
      if (forks - kept.record.forks >= Math.max(1, policy.maxForks / 16)) this.#kept.write(kept, { forks });
      if (forks >= policy.maxForks) this.#rotate(kept, 'forks');
    }
    if (draining.length > 0) this.#drain(kept);
  }

  /** Takes over what an earlier daemon kept. */
  adopt(): void {
    for (const kept of this.#kept.load(this.#machine.log)) {
      const { record } = kept;
      this.#versions.setForks(record.current, record.forks);
      this.#removeHalfRolled(record);
      const container = this.#machine.containers.get(record.current);
      if (container === undefined) this.#ended(kept, undefined);
      else this.#follow(kept, container);
    }
  }

  #removeHalfRolled({ name, number, current, draining }: SeedRecord): void {
    const id = versionId(name, number);
    const left = this.#machine.containers.get(id);
    if (left?.facts.kind !== 'seed' || id === current || draining.some((one) => one.id === id)) return;
    this.#remove(left);
  }

  #isReady({ record }: KeptSeed): boolean {
    const container = this.#machine.containers.get(record.current);
    return container?.parked === true && container.lifecycle.state === 'running';
  }

  #follow(kept: KeptSeed, container: Container): void {
    kept.parkedAt = Date.now();
    kept.ready();
    void container.whenStopped().then(() => this.#ended(kept, container));
  }

  /** The end of a version. */
  #ended(kept: KeptSeed, container: Container | undefined): void {
    const { record } = kept;
    if (!this.#kept.holds(kept)) return;
    if (container !== undefined && container.id !== record.current) return;
    const reason = kept.reason ?? (container === undefined ? 'gone' : endReason(container));
    kept.reason = undefined;
    kept.unready();
    this.#machine.log.warn({ id: record.current, seed: record.name, reason }, 'seed is down');
    this.#machine.events.publish({ type: 'seed-down', id: record.current, seed: record.name, reason });
    if (Date.now() - kept.parkedAt >= STABLE_MS) this.#kept.write(kept, { failures: 0 });
    const { restart = 'no' } = record.policy;
    const failed = reason !== 'exit 0';
    if (restart === 'always' || (restart === 'on-failure' && failed)) this.#schedule(kept, reason);
    else this.#giveUp(kept, `it is down (${reason})`);
  }

  #schedule(kept: KeptSeed, reason: string): void {
    const { failures, policy } = kept.record;
    if (failures >= (policy.maxRestarts ?? DEFAULT_RESTARTS)) {
      this.#giveUp(kept, `given up after ${failures} failures (${reason})`);
      return;
    }
    this.#kept.write(kept, { failures: failures + 1 });
    kept.later(backOff(failures + 1), () => {
      this.#replace(kept, 'restart').catch((err: unknown) => {
        this.#machine.log.error({ seed: kept.record.name, err }, 'a seed could not be replaced');
        const why = err instanceof Error ? err.message : String(err);
        if (this.#kept.holds(kept)) this.#schedule(kept, why);
      });
    });
  }

  #giveUp(kept: KeptSeed, why: string): void {
    const { name, current } = kept.record;
    kept.giveUp(new TurfError('TURF_ERR_SEED', `seed ${name}: ${why}`, { path: 'seed' }));
    this.#machine.events.publish({ type: 'seed-abandoned', id: current, seed: name, reason: why });
  }

  /** Makes the next version, and lets forks go to it. */
  async #replace(kept: KeptSeed, reason: string, options?: Omit<SeedRollOptions, 'id'>): Promise<Container> {
    const { name, policy } = kept.record;
    if (kept.preparing !== undefined) {
      throw new TurfError('TURF_ERR_STATE', `seed ${name} is being replaced already`, {
        operation: 'seed roll',
      });
    }
    let { number } = kept.record;
    do number++;
    while (this.#machine.containers.has(versionId(name, number)));
    this.#kept.write(kept, { number });
    const id = versionId(name, number);
    const bundle = options?.bundle ?? kept.record.bundle;
    kept.preparing = id;
    let container: Container;
    try {
      const timeoutMs = options?.timeoutMs ?? kept.record.timeoutMs;
      const { pool, from } = kept.record;
      container = await makeWithin(this.#versions, { id, bundle, timeoutMs, pool, from }, policy);
    } finally {
      kept.preparing = undefined;
    }
    if (!this.#kept.holds(kept)) {
      await this.#versions.remove(container);
      throw new TurfError('TURF_ERR_NOT_FOUND', `seed ${name} was removed`);
    }
    const old = kept.record.current;
    const drain = options?.drain ?? policy.drain ?? 'now';
    this.#kept.write(kept, {
      ...{ bundle, current: id, forks: 0, draining: [...kept.record.draining, { id: old, drain }] },
      ...(reason === 'restart' ? {} : { failures: 0 }),
    });
    this.#follow(kept, container);
    this.#machine.log.info({ id, seed: name, old, reason }, 'seed has a new version');
    this.#machine.events.publish({ type: 'seed-roll', id, seed: name, reason });
    this.#drain(kept);
    return container;
  }

  /** Replaces a version that still serves. */
  #rotate(kept: KeptSeed, reason: string): void {
    if (kept.preparing !== undefined || Date.now() < kept.nextRotation || !this.#isReady(kept)) return;
    kept.nextRotation = Date.now() + ROTATION_RETRY_MS;
    this.#replace(kept, reason).catch((err: unknown) => {
      this.#machine.log.error({ seed: kept.record.name, reason, err }, 'a seed could not be rotated');
    });
  }

  /** Ends former versions that nothing needs any more. */
  #drain(kept: KeptSeed): void {
    const left = kept.record.draining.filter(({ id, drain }) => {
      const container = this.#machine.containers.get(id);
      if (container === undefined) return false;
      if (container.lifecycle.state !== 'stopped') {
        if (kept.forking(id)) return true;
        if (drain === 'idle' && this.#versions.clones(container).length > 0) return true;
      }
      this.#remove(container);
      return false;
    });
    if (left.length < kept.record.draining.length) this.#kept.write(kept, { draining: left });
  }

  #remove(container: Container): void {
    this.#versions.remove(container).catch((err: unknown) => {
      this.#machine.log.error({ id: container.id, err }, 'a former version of a seed could not be removed');
    });
  }

  #tick(): void {
    for (const kept of this.#kept.all()) {
      if (kept.record.draining.length > 0) this.#drain(kept);
      const container = this.#machine.containers.get(kept.record.current);
      if (container === undefined || !this.#isReady(kept)) continue;
      const why = wearOf(kept, container);
      if (why !== undefined) this.#rotate(kept, why);
      void this.#checkLife(kept, container);
    }
  }

  /** Kills a seed that does not answer; its end is handled as any. */
  async #checkLife(kept: KeptSeed, container: Container): Promise<void> {
    try {
      if (!(await hangs(this.#machine, kept, container))) return;
    } catch (err) {
      this.#machine.log.error({ id: container.id, err }, 'a seed could not be asked');
      return;
    }
    if (container.lifecycle.state !== 'running' || !this.#kept.holds(kept)) return;
    this.#machine.log.error({ id: container.id }, 'a seed does not answer');
    if (kept.record.current === container.id) kept.reason = 'hung';
    endFirstProcess(this.#machine, container);
  }
}
