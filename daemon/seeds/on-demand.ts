import { closeSync } from 'node:fs';
import { forkRequestSchema } from '../../cli/api/seed.js';
import { type ForkOptions, type ForkResult } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { Container } from '../containers/container.js';
import { endReason } from '../containers/end-reason.js';
import { type Facts } from '../containers/facts.js';
import { endCgroup, removeLeftoverCgroup } from '../containers/leftovers.js';
import { observedState } from '../containers/lifecycle.js';
import { reserve } from '../containers/reserve.js';
import { UndoStack } from '../containers/undo.js';
import { type Machine } from '../machine.js';
import { backOff, failuresAfter } from './back-off.js';
import { bindListener, type Listener, removeListener } from './listen.js';
import { type Seeds } from './seeds.js';
import { firstFacts, keepConfig } from './worker-home.js';

/** How long a connection waits for a seed that is being replaced before the next attempt. */
const SEED_PATIENCE_MS = 60_000;

type Life = NonNullable<Facts['life']>;

/** Name of the seed that the next connection to a sleeping worker forks; undefined for any other container. */
export function sleepsOn(container: Container): string | undefined {
  return observedState(container) === 'asleep' ? String(container.facts.life?.request?.['seed']) : undefined;
}

/**
 * Workers of which no process runs while nobody asks. Their sockets stay, with the supervisor and here: the first connection forks a
 * process, which serves the socket and ends when it is idle. Connections are accepted by workers only; meanwhile they wait.
 */
export class OnDemandWorkers {
  readonly #machine: Machine;
  readonly #seeds: Seeds;
  readonly #forked: (worker: Container, life: Life) => void;
  readonly #listeners = new Map<string, Listener>();

  /** @param forked told of each worker that runs */
  constructor(machine: Machine, seeds: Seeds, forked: (worker: Container, life: Life) => void) {
    this.#machine = machine;
    this.#seeds = seeds;
    this.#forked = forked;
    machine.supervisor.on('connection', (id) => void this.#wake(id));
  }

  /**
   * Makes a worker that sleeps. The caller holds the id's lock.
   *
   * @throws TurfError; nothing is left then
   */
  async create(options: ForkOptions): Promise<ForkResult> {
    const begun = performance.now();
    checkAlone(options);
    const machine = this.#machine;
    const { id } = options;
    const spec = this.#seeds.workerSpec(options);
    const undo = new UndoStack();
    try {
      reserve(machine, id, undo);
      keepConfig(machine, id, spec);
      const listener = await bindListener(machine.kernel, spec.listen);
      undo.push('listening socket', () => {
        closeSync(listener.fd);
        removeListener(machine.kernel, listener.address);
      });
      const request = { ...options, listen: listener.address };
      const life = { onExit: 'sleep', failures: 0, request } as const;
      const facts: Facts = {
        ...firstFacts(machine, id, spec),
        phase: 'created',
        listen: listener.address,
        life,
      };
      const container = new Container(facts);
      container.stop({ stoppedAt: facts.created });
      machine.store.writeExit(id, { stoppedAt: facts.created });
      machine.store.writeFacts(facts);
      machine.supervisor.holdListener(id, listener.fd);
      machine.containers.set(id, container);
      this.#listeners.set(id, listener);
      undo.clear();
      machine.events.publish({ type: 'create', id, seed: spec.seed.id });
      machine.supervisor.watchListener(id);
      return { id, pid: 0, listen: listener.address, forkMs: performance.now() - begun };
    } catch (error) {
      for (const err of await undo.unwind()) machine.log.error({ id, err }, 'could not undo a failed fork');
      throw error;
    }
  }

  /** A worker has ended, after so many milliseconds, or was found asleep by a new daemon: the next connection is waited for. */
  async sleep(worker: Container, livedMs: number): Promise<void> {
    const { id } = worker;
    const machine = this.#machine;
    await machine.locks.run(id, async () => {
      const { life, seed = '' } = worker.facts;
      if (machine.containers.get(id) !== worker || life === undefined) return;
      const reason = endReason(worker);
      const failures = reason === 'exit 0' ? 0 : failuresAfter(life.failures, livedMs);
      try {
        if (worker.cgroup === undefined) await removeLeftoverCgroup(machine, id);
        else await endCgroup(worker.cgroup);
        worker.leaveCgroup();
        const facts = worker.learn({
          ...{ process: undefined, cgroup: undefined },
          life: { ...life, failures, expires: undefined },
        });
        machine.store.writeFacts(facts);
      } catch (err) {
        machine.log.error({ id, err }, 'could not put a worker to sleep cleanly');
      }
      const why = reason === 'exit 0' ? 'idle' : reason;
      machine.log.debug({ id, reason: why }, 'worker scaled to zero');
      machine.events.publish({ type: 'scaled-to-zero', id, seed, reason: why });
      this.#watchAfter(worker, failures);
    });
  }

  /** Gives the address of a worker up that is about to be deleted. */
  release({ id, facts }: Container): void {
    if (facts.life?.onExit !== 'sleep') return;
    this.#machine.supervisor.releaseListener(id);
    const listener = this.#listeners.get(id);
    this.#listeners.delete(id);
    if (listener !== undefined) closeSync(listener.fd);
  }

  #watchAfter(worker: Container, failures: number): void {
    const watch = (): void => void this.#watch(worker, failures);
    if (failures === 0) watch();
    else setTimeout(watch, backOff(failures)).unref();
  }

  /** Has the supervisor tell of the next connection. */
  async #watch(worker: Container, failures: number): Promise<void> {
    const { id } = worker;
    try {
      await this.#machine.locks.run(id, async () => {
        if (this.#machine.containers.get(id) !== worker) return;
        await this.#holdListener(worker);
        this.#machine.supervisor.watchListener(id);
      });
    } catch (err) {
      this.#machine.log.error({ id, err }, 'the address of a sleeping worker cannot be served');
      this.#watchAfter(worker, failures + 1);
    }
  }

  /** The supervisor kept the socket for a daemon that died; one that was stopped gave it up, and the address is bound again. */
  async #holdListener({ id, facts: { listen = '' } }: Container): Promise<void> {
    if (this.#listeners.has(id)) return;
    const { supervisor, kernel } = this.#machine;
    const fd = supervisor.takeListener(id);
    const listener = fd === undefined ? await bindListener(kernel, listen) : { fd, address: listen };
    if (fd === undefined) supervisor.holdListener(id, listener.fd);
    this.#listeners.set(id, listener);
  }

  async #wake(id: string): Promise<void> {
    const { containers, locks, log } = this.#machine;
    const asleep = containers.get(id);
    const life = asleep?.facts.life;
    if (asleep === undefined || life === undefined) return;
    try {
      await this.#seeds.keeper.whenReady(String(life.request?.['seed']), SEED_PATIENCE_MS);
      await locks.run(id, () => this.#fork(asleep, life));
    } catch (err) {
      log.error({ id, err }, 'a connection waits, and no worker can be forked');
      const failures = life.failures + 1;
      asleep.learn({ life: { ...life, failures } });
      this.#watchAfter(asleep, failures);
    }
  }

  async #fork(asleep: Container, life: Life): Promise<void> {
    const { id } = asleep;
    const listener = this.#listeners.get(id);
    // Deleted meanwhile, or awake: a daemon that died may have asked to be told, too.
    if (this.#machine.containers.get(id) !== asleep || sleepsOn(asleep) === undefined) return;
    if (listener === undefined) return;
    const { seed, ...request } = life.request ?? {};
    const options = { ...forkRequestSchema.parse(request), seed: String(seed) };
    const { ttlMs } = options;
    const next = { ...life, ...(ttlMs === undefined ? {} : { expires: Date.now() + ttlMs }) };
    const { container, result } = await this.#seeds.fork(options, {
      waking: { asleep, listener, life: next },
    });
    const { seed: version = '' } = container.facts;
    this.#machine.events.publish({ type: 'woken', id, pid: result.pid, seed: version });
    this.#forked(container, next);
  }
}

/** Options that say otherwise when the worker starts, or what becomes of it. */
function checkAlone({ onExit, hold, cold, whenUnready }: ForkOptions): void {
  const other = {
    hold: hold === true,
    cold: cold === true,
    onExit: onExit !== undefined && onExit !== 'keep',
    whenUnready: whenUnready === 'cold',
  };
  for (const [path, given] of Object.entries(other))
    if (given) throw new TurfError('TURF_ERR_USAGE', `${path}: not with idle`, { path });
}
