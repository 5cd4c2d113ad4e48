import { closeSync } from 'node:fs';
import { type CheckReport } from '../cli/check-report.js';
import { type CheckpointOptions, type RestoreOptions } from '../cli/checkpoint.js';
import { type ExecOptions, type ExecOutput, type ExecOutputOptions, type ExecResult } from '../cli/exec.js';
import type { LifecycleEvent } from '../cli/lifecycle-event.js';
import {
  type ContainerState,
  type CreateOptions,
  type CreateResult,
  type DeleteOptions,
  type ForkOptions,
  type ForkResult,
  type HealthInfo,
  type InvokeOptions,
  type InvokeResult,
  type LogChunk,
  type LogsOptions,
  type Operations,
  type SeedCreateOptions,
  type SeedInfo,
  type UpdateOptions,
  type VersionInfo,
} from '../cli/operations.js';
import { type SeedDetails, type SeedRollOptions, type TreeNode } from '../cli/seed-operations.js';
import { TurfError } from '../cli/turf-error.js';
import { type JsonObject } from '../oci-spec/json.js';
import { machineReport } from './check/report.js';
import { healthInfo, versionInfo } from './about.js';
import { checkpointContainer } from './checkpoint/checkpoint.js';
import { Creation } from './creation.js';
import { type Container } from './containers/container.js';
import { checkId } from './containers/container-id.js';
import { deleteContainer } from './containers/delete.js';
import { execInContainer } from './containers/exec.js';
import { execWithOutput } from './containers/exec-output.js';
import { type ExitWatch } from './containers/exits.js';
import { endFirstProcess, killContainer } from './containers/kill.js';
import { deleteLeftovers } from './containers/leftovers.js';
import { assertAllowed, observedState } from './containers/lifecycle.js';
import { readLogs } from './containers/logs.js';
import { containerState } from './containers/oci-state.js';
import { OomWatch } from './containers/oom-watch.js';
import { pauseContainer, resumeContainer } from './containers/pause.js';
import { startContainer } from './containers/start.js';
import { containerStats } from './containers/stats.js';
import { updateContainer } from './containers/update.js';
import { machineFeatures } from './features.js';
import { type Machine } from './machine.js';
import { invokeWorker } from './seeds/invoke.js';
import { SeedActions } from './seeds/seed-actions.js';
import { type Seeds } from './seeds/seeds.js';
import { type WorkerLives } from './seeds/worker-lives.js';

/** The operations of turf, carried out on this machine: one implementation for the command line and for REST. */
export class DaemonOperations implements Operations {
  readonly #machine: Machine;
  readonly #exits: ExitWatch;
  readonly #seeds: Seeds;
  readonly #creation: Creation;
  readonly #oom: OomWatch;
  readonly #seedActions: SeedActions;
  readonly #lives: WorkerLives;
  readonly #started = Date.now();

  constructor(machine: Machine, exits: ExitWatch, seeds: Seeds, lives: WorkerLives) {
    this.#machine = machine;
    this.#exits = exits;
    this.#seeds = seeds;
    this.#creation = new Creation(machine, exits, seeds);
    this.#oom = new OomWatch(machine);
    this.#lives = lives;
    this.#seedActions = new SeedActions(machine, seeds);
  }

  async create(options: CreateOptions): Promise<CreateResult> {
    try {
      this.#checkFree(options.id);
      return await this.#machine.locks.run(options.id, () => this.#creation.create(options));
    } finally {
      if (options.consoleFd !== undefined) closeSync(options.consoleFd);
    }
  }

  start(id: string): Promise<void> {
    return this.#locked(id, async (container) => {
      await startContainer(this.#machine, this.#exits, container);
      if (container.facts.kind === 'seed') this.#seeds.followParking(container);
    });
  }

  async state(id: string): Promise<ContainerState> {
    const container = this.#find(id);
    await this.#exits.refresh(container);
    return containerState(container);
  }

  async kill(id: string, signal: string, all = false): Promise<void> {
    // Not behind the lock: a signal must reach a container whose start or delete hangs.
    const container = this.#find(id);
    await this.#exits.refresh(container);
    await killContainer(this.#machine, container, signal, all);
  }

  pause(id: string): Promise<void> {
    return this.#settled(id, (container) => pauseContainer(this.#machine, container));
  }

  resume(id: string): Promise<void> {
    return this.#settled(id, (container) => resumeContainer(this.#machine, container));
  }

  processes(id: string): Promise<readonly number[]> {
    const pids = this.#find(id).cgroup?.procs() ?? [];
    return Promise.resolve(pids.toSorted((one, other) => one - other));
  }

  async exec(options: ExecOptions): Promise<ExecResult> {
    try {
      // Not behind the lock: programs run beside one another, and one that joins a frozen container waits for long.
      const container = this.#find(options.id);
      await this.#exits.refresh(container);
      return await execInContainer(this.#machine, container, options);
    } finally {
      if (options.consoleFd !== undefined) closeSync(options.consoleFd);
    }
  }

  async *execOutput(options: ExecOutputOptions, signal?: AbortSignal): AsyncGenerator<ExecOutput> {
    const container = this.#find(options.id);
    await this.#exits.refresh(container);
    yield* execWithOutput(this.#machine, container, options, signal);
  }

  async stats(id: string): Promise<JsonObject> {
    const container = this.#find(id);
    await this.#exits.refresh(container);
    return containerStats(container);
  }

  update(id: string, options: UpdateOptions): Promise<void> {
    return this.#settled(id, (container) => updateContainer(this.#machine, container, options));
  }

  checkpoint(options: CheckpointOptions): Promise<void> {
    return this.#settled(options.id, (container) => checkpointContainer(this.#machine, container, options));
  }

  restore(options: RestoreOptions): Promise<CreateResult> {
    const { id } = options.create;
    this.#checkFree(id);
    return this.#machine.locks.run(id, () => this.#creation.restore(options));
  }

  delete(id: string, options: DeleteOptions = {}): Promise<void> {
    const container = this.#machine.containers.get(id);
    // Not behind the lock: a create, a start or a hook that hangs holds it as long as the container lives.
    if (options.force === true && container !== undefined) endFirstProcess(this.#machine, container);
    const remove = async (found: Container): Promise<void> => {
      assertAllowed(found.id, options.force === true ? 'forceDelete' : 'delete', observedState(found));
      this.#seeds.kept.forget(found.id);
      await this.#seeds.dropAhead(found.id);
      this.#lives.release(found);
      await deleteContainer(this.#machine, found, options.force === true);
    };
    if (options.force !== true || container !== undefined) return this.#settled(id, remove);
    // Behind the lock: a create of that id may be under way.
    return this.#machine.locks.run(id, async () => {
      const made = this.#machine.containers.get(id);
      if (made === undefined) return deleteLeftovers(this.#machine, id);
      await this.#exits.refresh(made);
      return remove(made);
    });
  }

  async list(): Promise<readonly ContainerState[]> {
    const containers = [...this.#machine.containers.values()];
    await Promise.all(containers.map((container) => this.#exits.refresh(container)));
    return containers.map(containerState);
  }

  async *logs(id: string, options: LogsOptions = {}): AsyncGenerator<LogChunk> {
    yield* readLogs(this.#machine.store, this.#find(id), options);
  }

  async wait(id: string, signal?: AbortSignal): Promise<ContainerState> {
    const container = this.#find(id);
    await container.whenStopped(signal);
    return containerState(container);
  }

  async seedCreate(options: SeedCreateOptions): Promise<SeedInfo> {
    checkId(options.id);
    return this.#seedActions.create(options);
  }

  seedRoll(options: SeedRollOptions): Promise<SeedInfo> {
    return this.#seedActions.roll(options);
  }

  seedList(): Promise<readonly SeedInfo[]> {
    return Promise.resolve(this.#seedActions.list());
  }

  async seedInspect(id: string): Promise<SeedDetails> {
    return this.#seedActions.inspect(id);
  }

  seedRemove(id: string, options: DeleteOptions = {}): Promise<void> {
    return this.#seedActions.remove(id, options.force === true);
  }

  tree(): Promise<readonly TreeNode[]> {
    return this.#seedActions.tree();
  }

  async fork(options: ForkOptions): Promise<ForkResult> {
    this.#checkFree(options.id);
    if (options.idleMs !== undefined) return this.#lives.fork(options);
    if (options.cold === true || (options.whenUnready === 'cold' && !this.#isReady(options.seed)))
      return this.#machine.locks.run(options.id, () =>
        this.#creation.forkCold(options, this.#find(options.seed)),
      );
    const { whenUnready, ...rest } = options;
    return this.#lives.fork(
      whenUnready === undefined || whenUnready === 'cold' ? rest : { ...rest, whenUnready },
    );
  }

  #isReady(seed: string): boolean {
    const { parked, lifecycle } = this.#find(seed);
    return parked && lifecycle.state === 'running';
  }

  async forkMany(options: ForkOptions, count: number): Promise<readonly ForkResult[]> {
    checkId(options.id);
    return this.#lives.forkMany(options, count);
  }

  invoke(options: InvokeOptions): Promise<InvokeResult> {
    const container = this.#find(options.id);
    const { facts } = container;
    const state = observedState(container);
    // The request wakes one that is asleep.
    if (facts.listen === undefined || (state !== 'running' && state !== 'asleep')) {
      const what = facts.listen === undefined ? 'does not listen' : `is ${state}`;
      throw new TurfError('TURF_ERR_STATE', `cannot invoke ${options.id}: it ${what}`, {
        operation: 'invoke',
      });
    }
    return invokeWorker(facts.listen, options);
  }

  events(signal?: AbortSignal): AsyncIterable<LifecycleEvent> {
    return this.#oom.during(this.#machine.events.stream(signal));
  }

  features(): Promise<unknown> {
    return Promise.resolve(machineFeatures());
  }

  check(): Promise<CheckReport> {
    return Promise.resolve(machineReport());
  }

  version(): Promise<VersionInfo> {
    return Promise.resolve(versionInfo());
  }

  health(): Promise<HealthInfo> {
    return Promise.resolve(healthInfo(this.#machine.containers.values(), this.#started));
  }

  /** A seed's name stays taken when its first version, which has it as its id, has gone. */
  #checkFree(id: string): void {
    checkId(id);
    if (!this.#seeds.kept.has(id)) return;
    throw new TurfError('TURF_ERR_EXISTS', `container with id exists: ${id}`, { path: 'id' });
  }

  /** A seed's name stands for its current version. */
  #find(id: string): Container {
    const { containers } = this.#machine;
    const container = containers.get(id) ?? containers.get(this.#seeds.kept.current(id));
    if (container === undefined || container.lifecycle.state === 'creating') {
      throw new TurfError('TURF_ERR_NOT_FOUND', `container does not exist: ${id}`, { path: 'id' });
    }
    return container;
  }

  #locked<T>(id: string, action: (container: Container) => Promise<T>): Promise<T> {
    return this.#machine.locks.run(id, () => action(this.#find(id)));
  }

  /** As #locked, and whether the process lives is known. */
  #settled<T>(id: string, action: (container: Container) => Promise<T>): Promise<T> {
    return this.#locked(id, async (container) => {
      await this.#exits.refresh(container);
      return action(container);
    });
  }
}
