import { type LifecycleEvent } from '../../cli/lifecycle-event.js';
import { type ProcessEnd } from '../channel/supervisor-link.js';
import { type Machine } from '../machine.js';
import { type Container } from './container.js';
import { isAlive } from './process-facts.js';
import { decodeWaitStatus } from './wait-status.js';

/** How long the end of a process may go unreported before its exit status counts as unknown. */
const REPORT_PATIENCE_MS = 2000;

/** Watches first processes through the supervisor and turns their ends into stopped containers, files and events. */
export class ExitWatch {
  readonly #machine: Pick<Machine, 'supervisor' | 'store' | 'events' | 'log' | 'containers'>;
  /** `pid-startTime` → container. */
  readonly #watched = new Map<string, Container>();
  readonly #hushed = new WeakSet<Container>();
  /** Those from whose cgroup the kernel's OOM killer took a process that no event has told of. */
  readonly #oom = new WeakSet<Container>();

  constructor(machine: Pick<Machine, 'supervisor' | 'store' | 'events' | 'log' | 'containers'>) {
    this.#machine = machine;
    machine.supervisor.on('died', (end) => this.#died(end));
  }

  /**
   * Watches the container's first process.
   *
   * @param pidfd of that process; stays the caller's
   */
  watch(container: Container, pid: number, startTime: bigint, pidfd: number): void {
    this.#watched.set(`${pid}-${startTime}`, container);
    this.#machine.supervisor.watch(pid, startTime, pidfd);
  }

  /** Whether that process is a container's first process. */
  watches(pid: number, startTime: bigint): boolean {
    return this.#watched.has(`${pid}-${startTime}`);
  }

  /** Holds the container's `exit` event back until `announce`: no event comes after it, however short a life is. */
  hush(container: Container): void {
    this.#hushed.add(container);
  }

  /** Publishes the event, if any, and behind it the end of the container, if that came meanwhile. */
  announce(container: Container, event?: Omit<LifecycleEvent, 'time'>): void {
    this.#hushed.delete(container);
    if (event !== undefined) this.#machine.events.publish(event);
    if (container.lifecycle.state === 'stopped') this.#publish(container);
  }

  /** The kernel knows first that a process has ended: its status arrives a moment later. */
  async refresh(container: Container): Promise<void> {
    const { process } = container.facts;
    if (container.lifecycle.state === 'stopped' || process === undefined) return;
    if (!isAlive(process.pid, BigInt(process.startTime))) await this.settle(container);
  }

  /** Waits for the report of a process that is known to have ended; without one its status counts as unknown. */
  async settle(container: Container): Promise<void> {
    const { process } = container.facts;
    if (process === undefined || container.lifecycle.state === 'stopped') return;
    const timer = setTimeout(() => this.record(container, -1), REPORT_PATIENCE_MS);
    await container.whenStopped();
    clearTimeout(timer);
  }

  /**
   * Records the end of a container.
   *
   * @param waitStatus as waitpid(2) gives it, -1: unknown
   * @param at RFC 3339
   */
  record(container: Container, waitStatus: number, at: string = new Date().toISOString()): void {
    if (container.lifecycle.state === 'stopped') return;
    const { containers, store, log } = this.#machine;
    const { id } = container;
    const status = decodeWaitStatus(waitStatus);
    if (container.noticeOom()) this.#oom.add(container);
    const { oomKills } = container;
    const exit = { ...status, ...(oomKills > 0 ? { oomKills } : {}), stoppedAt: at };
    try {
      // A create that failed has given its directory up, maybe to another container of that id.
      if (containers.get(id) === container) store.writeExit(id, exit);
    } catch (err) {
      log.error({ id, err }, 'could not write how a container ended');
    }
    container.stop(exit);
    log.info({ id, ...status, ...(oomKills > 0 ? { oomKills } : {}) }, 'container exited');
    if (!this.#hushed.has(container)) this.#publish(container);
  }

  #died(end: ProcessEnd): void {
    const key = `${end.pid}-${end.startTime}`;
    const container = this.#watched.get(key);
    this.#watched.delete(key);
    if (container !== undefined) this.record(container, end.waitStatus);
    // Only now: a daemon that dies before it wrote the exit down finds the record at its next start.
    this.#machine.store.removeExitRecords(end.pid, end.startTime.toString());
  }

  #publish(container: Container): void {
    const { id, facts, lifecycle } = container;
    if (lifecycle.state !== 'stopped') return;
    const { exitCode, exitSignal } = lifecycle.exit;
    const who = {
      id,
      ...(facts.process === undefined ? {} : { pid: facts.process.pid }),
      ...(facts.seed === undefined ? {} : { seed: facts.seed }),
    };
    if (this.#oom.has(container)) this.#machine.events.publish({ type: 'oom', ...who });
    this.#machine.events.publish({
      type: 'exit',
      ...who,
      ...(exitCode === undefined ? {} : { exitCode }),
      ...(exitSignal === undefined ? {} : { exitSignal }),
    });
  }
}
