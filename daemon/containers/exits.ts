import { type ProcessEnd } from '../channel/supervisor-link.js';
import { type Machine } from '../machine.js';
import { type Container } from './container.js';
import { decodeWaitStatus } from './wait-status.js';

/** How long the end of a process may go unreported before its exit status counts as unknown. */
const REPORT_PATIENCE_MS = 2000;

/** Watches first processes through the supervisor and turns their ends into stopped containers, files and events. */
export class ExitWatch {
  readonly #machine: Machine;
  /** `pid-startTime` → container. */
  readonly #watched = new Map<string, Container>();

  constructor(machine: Machine) {
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

  /** Waits for the report of a process that is known to have ended; without one its status counts as unknown. */
  async settle(container: Container): Promise<void> {
    const { process } = container.facts;
    if (process === undefined || container.lifecycle.state === 'stopped') return;
    const timer = setTimeout(() => this.#record(container, -1), REPORT_PATIENCE_MS);
    await container.whenStopped();
    clearTimeout(timer);
  }

  /** Records the end of a process that nobody reported, e.g. found at the daemon's start. */
  record(container: Container, waitStatus: number, at: string): void {
    this.#record(container, waitStatus, at);
  }

  #died(end: ProcessEnd): void {
    const key = `${end.pid}-${end.startTime}`;
    const container = this.#watched.get(key);
    this.#machine.store.removeExitRecords(end.pid, end.startTime.toString());
    if (container === undefined) return;
    this.#watched.delete(key);
    this.#record(container, end.waitStatus);
  }

  #record(container: Container, waitStatus: number, at: string = new Date().toISOString()): void {
    if (container.lifecycle.state === 'stopped') return;
    const status = decodeWaitStatus(waitStatus);
    const exit = { ...status, stoppedAt: at };
    // A create that failed has removed its directory already.
    if (this.#machine.containers.has(container.id)) this.#machine.store.writeExit(container.id, exit);
    container.stop(exit);
    this.#machine.log.info({ id: container.id, ...status }, 'container exited');
    this.#machine.events.publish({
      type: 'exit',
      id: container.id,
      ...(container.facts.process === undefined ? {} : { pid: container.facts.process.pid }),
      ...(container.facts.seed === undefined ? {} : { seed: container.facts.seed }),
      ...status,
    });
  }
}
