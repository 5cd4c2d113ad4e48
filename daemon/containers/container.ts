import { closeSync } from 'node:fs';
import { type CgroupHandle } from '../cgroups/cgroup.js';
import { type Exit, type Facts } from './facts.js';
import { type Lifecycle } from './lifecycle.js';

/** One container as the daemon knows it: the facts on disk, where it is in its life, and its cgroup. */
export class Container {
  #facts: Facts;
  #lifecycle: Lifecycle = { state: 'creating' };
  #cgroup: CgroupHandle | undefined;
  #parked = false;
  #oomKills = 0;
  #pidfd: number | undefined;
  #labels: readonly string[] = [];
  readonly #waiters = new Set<(exit: Exit) => void>();

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  get id(): string {
    return this.#facts.id;
  }

  get facts(): Facts {
    return this.#facts;
  }

  get lifecycle(): Lifecycle {
    return this.#lifecycle;
  }

  get cgroup(): CgroupHandle | undefined {
    return this.#cgroup;
  }

  /** Whether a seed has reached its fork point. */
  get parked(): boolean {
    return this.#parked;
  }

  /** Refers to the first process while it is watched: signals sent through it cannot hit a process that took its pid. */
  get pidfd(): number | undefined {
    return this.#pidfd;
  }

  /** Config field of each plan operation, for errors of `start`; empty after a restart of the daemon. */
  get labels(): readonly string[] {
    return this.#labels;
  }

  /**
   * Counts the processes that the OOM killer took from the cgroup.
   *
   * @returns whether there are more than at the last call
   */
  noticeOom(): boolean {
    const count = this.#cgroup?.oomCount() ?? 0;
    const more = count > this.#oomKills;
    this.#oomKills = Math.max(count, this.#oomKills);
    return more;
  }

  get oomKills(): number {
    return this.#oomKills;
  }

  /** @param pidfd owned by the container from now on */
  ownProcess(pidfd: number): void {
    this.#pidfd = pidfd;
  }

  label(labels: readonly string[]): void {
    this.#labels = labels;
  }

  /** Adds facts; the caller writes them to disk. */
  learn(facts: Partial<Facts>): Facts {
    this.#facts = { ...this.#facts, ...facts };
    return this.#facts;
  }

  ownCgroup(cgroup: CgroupHandle): void {
    this.#cgroup = cgroup;
  }

  /** Its cgroup has been removed. */
  leaveCgroup(): void {
    this.#cgroup = undefined;
  }

  park(): void {
    this.#parked = true;
  }

  enter(lifecycle: Exclude<Lifecycle, { state: 'stopped' }>): void {
    if (this.#lifecycle.state !== 'stopped') this.#lifecycle = lifecycle;
  }

  stop(exit: Exit): void {
    if (this.#lifecycle.state === 'stopped') return;
    this.#lifecycle = { state: 'stopped', exit };
    if (this.#pidfd !== undefined) closeSync(this.#pidfd);
    this.#pidfd = undefined;
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const tell of waiters) tell(exit);
  }

  /**
   * Resolves when the first process has ended.
   *
   * @param signal stops waiting, and leaves nothing of the waiter behind: a container may run for years
   * @throws the signal's reason
   */
  whenStopped(signal?: AbortSignal): Promise<Exit> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      let forget = (): void => undefined;
      const giveUp = (): void => {
        forget();
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      forget = this.onStopped((exit) => {
        signal?.removeEventListener('abort', giveUp);
        resolve(exit);
      });
    });
  }

  /** Calls back once when the first process has ended, at once where it has; returns how not to be called any more. */
  onStopped(tell: (exit: Exit) => void): () => void {
    if (this.#lifecycle.state === 'stopped') tell(this.#lifecycle.exit);
    else this.#waiters.add(tell);
    return () => void this.#waiters.delete(tell);
  }
}
