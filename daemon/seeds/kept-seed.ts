import { TurfError } from '../../cli/turf-error.js';
import { type SeedRecord } from './seed-records.js';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: TurfError) => void;
}

/** One kept seed in memory: its record, and who waits for it. */
export class KeptSeed {
  record: SeedRecord;
  /** Id of the version that is being made. */
  preparing: string | undefined;
  /** Milliseconds of the epoch since when forks could go to the current version. */
  parkedAt = 0;
  /** No rotation before that: milliseconds of the epoch. */
  nextRotation = 0;
  /** Why the keeper itself ends the current version. */
  reason: string | undefined;
  readonly #waiters = new Set<Waiter>();
  /** Version → forks under way. */
  readonly #forking = new Map<string, number>();
  readonly #last = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #abandoned: TurfError | undefined;

  constructor(record: SeedRecord) {
    this.record = record;
  }

  enter(version: string): void {
    this.#forking.set(version, (this.#forking.get(version) ?? 0) + 1);
  }

  leave(version: string): void {
    const left = (this.#forking.get(version) ?? 1) - 1;
    if (left > 0) this.#forking.set(version, left);
    else this.#forking.delete(version);
  }

  /** Whether forks of that version are under way. */
  forking(version: string): boolean {
    return this.#forking.has(version);
  }

  /** Whether it is so long ago that this was true: then it is true now. */
  due(what: string, everyMs: number): boolean {
    const now = Date.now();
    if (now - (this.#last.get(what) ?? this.parkedAt) < everyMs) return false;
    this.#last.set(what, now);
    return true;
  }

  /** Runs `action` after a delay, unless the seed is given up before. */
  later(delayMs: number, action: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(action, delayMs);
  }

  ready(): void {
    this.#abandoned = undefined;
    for (const { resolve } of this.#take()) resolve();
  }

  unready(): void {
    this.#abandoned = undefined;
  }

  /** No version will come: who waits is told so. */
  giveUp(error: TurfError): void {
    clearTimeout(this.#timer);
    this.#abandoned = error;
    for (const { reject } of this.#take()) reject(error);
  }

  /** @throws TurfError */
  async whenReady(timeoutMs: number): Promise<void> {
    if (this.#abandoned !== undefined) throw this.#abandoned;
    let timer: NodeJS.Timeout | undefined;
    let waiter: Waiter | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        waiter = { resolve, reject };
        this.#waiters.add(waiter);
        timer = setTimeout(() => {
          const message = `seed ${this.record.name} was not ready in ${timeoutMs} ms`;
          reject(new TurfError('TURF_ERR_TIMEOUT', message, { path: 'seed' }));
        }, timeoutMs);
      });
    } finally {
      clearTimeout(timer);
      if (waiter !== undefined) this.#waiters.delete(waiter);
    }
  }

  #take(): Waiter[] {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    return waiters;
  }
}
