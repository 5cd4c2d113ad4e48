import { type Machine } from '../machine.js';
import { flatKeyed } from '../cgroups/stats.js';
import { tryReadControl } from '../cgroups/control-file.js';

const INTERVAL_MS = 200;

/**
 * Publishes `oom` events while anybody listens: for containers that live on, too. It looks at the kernel's one counter of all kills
 * of the OOM killer, and only where that has moved at the containers: their number costs nothing.
 */
export class OomWatch {
  readonly #machine: Pick<Machine, 'containers' | 'events'>;
  readonly #counter: string;
  #listeners = 0;
  #timer: NodeJS.Timeout | undefined;
  #last: number | undefined;

  /** @param counter file with a line `oom_kill N` (/proc/vmstat, Linux 4.13) */
  constructor(machine: Pick<Machine, 'containers' | 'events'>, counter = '/proc/vmstat') {
    this.#machine = machine;
    this.#counter = counter;
  }

  /** Watches as long as `stream` is read. */
  async *during<T>(stream: AsyncIterable<T>): AsyncGenerator<T, void> {
    this.#listeners++;
    if (this.#listeners === 1) this.#begin();
    try {
      yield* stream;
    } finally {
      this.#listeners--;
      if (this.#listeners === 0) clearInterval(this.#timer);
    }
  }

  #begin(): void {
    this.#last = this.#read();
    // What happened while nobody listened is history.
    for (const container of this.#machine.containers.values()) container.noticeOom();
    this.#timer = setInterval(() => this.look(), INTERVAL_MS).unref();
  }

  /** One look. */
  look(): void {
    const now = this.#read();
    if (now !== undefined && now === this.#last) return;
    this.#last = now;
    for (const container of this.#machine.containers.values()) {
      if (container.lifecycle.state === 'stopped' || !container.noticeOom()) continue;
      const { id, facts } = container;
      this.#machine.events.publish({
        type: 'oom',
        id,
        ...(facts.process === undefined ? {} : { pid: facts.process.pid }),
        ...(facts.seed === undefined ? {} : { seed: facts.seed }),
      });
    }
  }

  #read(): number | undefined {
    return flatKeyed(tryReadControl(this.#counter), 'oom_kill');
  }
}
