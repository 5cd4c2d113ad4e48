import { constants } from 'node:os';
import { forkRequestSchema } from '../../cli/api/seed.js';
import { type ForkOptions, type ForkResult } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { containerIdProblem } from '../../oci-spec/container-id.js';
import { parseListenAddress } from '../../oci-spec/listen-address.js';
import { type Container } from '../containers/container.js';
import { deleteContainer } from '../containers/delete.js';
import { type Facts } from '../containers/facts.js';
import { endFirstProcess, killContainer } from '../containers/kill.js';
import { type Machine } from '../machine.js';
import { LONGEST_TIMER_MS } from '../longest-timer.js';
import { backOff, failuresAfter } from './back-off.js';
import { OnDemandWorkers } from './on-demand.js';
import { type Seeds } from './seeds.js';

/** Between SIGTERM at the end of a worker's time and SIGKILL. */
const GRACE_MS = 10_000;
/** Forks under way for one request: the seed makes one clone at a time, the daemon prepares others meanwhile. */
const AT_ONCE = 4;

type Life = NonNullable<Facts['life']>;

/** Workers from their fork to their end, and beyond: how long they live, and what becomes of them. */
export class WorkerLives {
  readonly #machine: Machine;
  readonly #seeds: Seeds;
  readonly #onDemand: OnDemandWorkers;

  constructor(machine: Machine, seeds: Seeds) {
    this.#machine = machine;
    this.#seeds = seeds;
    this.#onDemand = new OnDemandWorkers(machine, seeds, (worker, life) => this.#follow(worker, life));
  }

  /** Forks one worker, or makes one that is forked when somebody asks. @throws TurfError */
  fork(options: ForkOptions): Promise<ForkResult> {
    return this.#machine.locks.run(options.id, () =>
      options.idleMs === undefined ? this.#fork(options, 0) : this.#onDemand.create(options),
    );
  }

  /** A container is about to be deleted: what lasts longer than its process is given up. */
  release(container: Container): void {
    this.#onDemand.release(container);
  }

  /**
   * Forks workers named `id`-1 to `id`-`count`: all of them, or none.
   *
   * @throws TurfError the first failure; what had been forked is deleted
   */
  async forkMany(options: ForkOptions, count: number): Promise<ForkResult[]> {
    const ids = Array.from({ length: count }, (_, index) => `${options.id}-${index + 1}`);
    const problem = containerIdProblem(ids.at(-1) ?? '');
    if (problem !== undefined) throw new TurfError('TURF_ERR_INVALID_ID', `id: ${problem}`, { path: 'id' });
    checkShared(options, count);
    const results = new Map<string, ForkResult>();
    const waiting = ids.values();
    const failures: unknown[] = [];
    const work = async (): Promise<void> => {
      for (const id of waiting) {
        if (failures.length > 0) return;
        try {
          results.set(id, await this.fork({ ...options, id }));
        } catch (error) {
          failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, work));
    if (failures.length === 0) return ids.flatMap((id) => results.get(id) ?? []);
    await Promise.all([...results.keys()].map((id) => this.#delete(this.#machine.containers.get(id))));
    const [first] = failures;
    throw first instanceof Error ? first : new TurfError('TURF_ERR_SYSTEM', String(first));
  }

  /** Takes over the workers of an earlier daemon. */
  adopt(): void {
    for (const container of this.#machine.containers.values()) {
      if (container.facts.life !== undefined) this.#follow(container, container.facts.life);
    }
  }

  async #fork(options: ForkOptions, failures: number): Promise<ForkResult> {
    const { onExit = 'keep', ttlMs } = options;
    const { container, result } = await this.#seeds.fork(options);
    if (onExit === 'keep' && ttlMs === undefined) return result;
    const life: Life = {
      onExit,
      failures,
      ...(ttlMs === undefined ? {} : { expires: Date.now() + ttlMs }),
      ...(onExit === 'restart' ? { request: { ...options, listen: result.listen } } : {}),
    };
    this.#machine.store.writeFacts(container.learn({ life }));
    this.#follow(container, life);
    return result;
  }

  #follow(container: Container, life: Life): void {
    const timer = life.expires === undefined ? undefined : this.#expire(container, life.expires);
    const begun = Date.parse(container.facts.created);
    void container.whenStopped().then(() => {
      clearTimeout(timer?.current);
      if (life.onExit === 'delete') this.#quietly(container, this.#delete(container));
      if (life.onExit === 'restart') this.#restart(container, life, Date.now() - begun);
      if (life.onExit === 'sleep')
        this.#quietly(container, this.#onDemand.sleep(container, Date.now() - begun));
    });
  }

  /** Ends a worker at its time. */
  #expire(container: Container, expires: number): { current: NodeJS.Timeout } {
    const arm = (milliseconds: number, action: () => void): NodeJS.Timeout =>
      setTimeout(action, Math.min(LONGEST_TIMER_MS, Math.max(0, milliseconds)));
    const act = (): void => {
      if (Date.now() < expires) {
        timer.current = arm(expires - Date.now(), act);
        return;
      }
      this.#machine.log.info({ id: container.id }, 'a worker has lived its time');
      timer.current = arm(GRACE_MS, () => endFirstProcess(this.#machine, container));
      if (container.lifecycle.state === 'stopped') return;
      this.#quietly(
        container,
        killContainer(this.#machine, container, String(constants.signals.SIGTERM), false),
      );
    };
    const timer = { current: arm(expires - Date.now(), act) };
    return timer;
  }

  #restart(container: Container, life: Life, livedMs: number): void {
    const failures = failuresAfter(life.failures, livedMs);
    setTimeout(() => this.#quietly(container, this.#again(container, life, failures)), backOff(failures));
  }

  /** Another worker in the place of one that has ended, unless that was deleted meanwhile. */
  async #again(container: Container, life: Life, failures: number): Promise<void> {
    const { id } = container;
    await this.#machine.locks.run(id, async () => {
      if (this.#machine.containers.get(id) !== container) return;
      const { seed, ...request } = life.request ?? {};
      const options = { ...forkRequestSchema.parse(request), seed: String(seed) };
      await deleteContainer(this.#machine, container, true);
      await this.#fork({ ...options, whenUnready: 'wait' }, failures);
    });
  }

  async #delete(container: Container | undefined): Promise<void> {
    if (container === undefined) return;
    await this.#machine.locks.run(container.id, async () => {
      if (this.#machine.containers.get(container.id) !== container) return;
      this.release(container);
      await deleteContainer(this.#machine, container, true);
    });
  }

  #quietly({ id }: Container, action: Promise<void>): void {
    action.catch((err: unknown) => this.#machine.log.error({ id, err }, 'the life of a worker went wrong'));
  }
}

/** Many workers cannot bind one address. */
function checkShared({ listen, hold }: ForkOptions, count: number): void {
  const address = listen === undefined ? undefined : parseListenAddress(listen);
  const one = address !== undefined && !(address.kind === 'tcp' && address.port === 0);
  if (count > 1 && one)
    throw new TurfError('TURF_ERR_USAGE', `listen: ${count} workers cannot share ${listen ?? ''}`, {
      path: 'listen',
    });
  if (hold === true && count > 1)
    throw new TurfError('TURF_ERR_USAGE', 'hold: not with count', { path: 'hold' });
}
