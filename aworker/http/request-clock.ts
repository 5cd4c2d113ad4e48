import process from 'node:process';
import { clearTimeout, setTimeout } from 'node:timers';
import { type Exchange } from './exchange.js';
import { type Limits } from '../config/limits.js';

/** Why a request is answered without its handler. */
export interface Expiry {
  readonly status: number;
  readonly error: DOMException;
}

function timeout(status: number, message: string): Expiry {
  return { status, error: new DOMException(message, 'TimeoutError') };
}

/** Microseconds that this process has computed, with all its threads. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/**
 * Finds the requests whose handlers take too long: by the clock on the wall, and by CPU time. What the process computes while n requests are open counts
 * for each as an n-th, since nobody can tell for whom a turn of the event loop was.
 */
export class RequestClock {
  readonly #open: () => Iterable<Iterable<Exchange>>;
  readonly #expired: (exchange: Exchange, expiry: Expiry) => void;
  #requestMs = 0;
  #cpuMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #requests = 0;
  /** Microseconds that a request has used which was open all the time. */
  #share = 0;
  #used = 0;

  /**
   * @param open the requests of each connection that have no whole answer
   * @param expired answers one that has taken too long
   */
  constructor(
    open: () => Iterable<Iterable<Exchange>>,
    expired: (exchange: Exchange, expiry: Expiry) => void,
  ) {
    this.#open = open;
    this.#expired = expired;
  }

  /** Sets the limits, while no request is open. */
  limit({ requestMs, cpuMs }: Limits): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#requestMs = requestMs;
    this.#cpuMs = cpuMs;
  }

  /** A request has begun. @returns what Exchange.cpuShare is to be */
  began(): number {
    const first = Math.min(this.#requestMs || Infinity, this.#cpuMs || Infinity);
    if (first < Infinity) this.#timer ??= setTimeout(() => this.#look(), first).unref();
    if (this.#cpuMs === 0) return 0;
    const share = this.#shareNow();
    this.#requests += 1;
    return share;
  }

  /** A request has ended. */
  ended(): void {
    if (this.#cpuMs === 0) return;
    this.#shareNow();
    this.#requests -= 1;
  }

  #shareNow(): number {
    const now = cpuTime();
    if (this.#requests > 0) this.#share += (now - this.#used) / this.#requests;
    this.#used = now;
    return this.#share;
  }

  /** Answers those whose time is over, and comes back for the next. */
  #look(): void {
    this.#timer = undefined;
    const now = performance.now();
    const share = this.#cpuMs > 0 ? this.#shareNow() : 0;
    let next = Infinity;
    for (const exchanges of this.#open()) {
      for (const exchange of exchanges) {
        if (exchange.answered) continue;
        const left = this.#requestMs > 0 ? exchange.began + this.#requestMs - now : Infinity;
        // CPU time goes no faster than the wall's, but for the threads of a pool.
        const leftCpu = this.#cpuMs > 0 ? this.#cpuMs - (share - exchange.cpuShare) / 1000 : Infinity;
        if (left <= 0) this.#expired(exchange, timeout(504, `No answer after ${this.#requestMs} ms`));
        else if (leftCpu <= 0)
          this.#expired(exchange, timeout(503, `No answer after ${this.#cpuMs} ms of CPU time`));
        else next = Math.min(next, left, leftCpu);
      }
    }
    if (next < Infinity) this.#timer = setTimeout(() => this.#look(), next + 1).unref();
  }
}
