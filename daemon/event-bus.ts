import { EventEmitter } from 'node:events';
import { type LifecycleEvent } from '../cli/lifecycle-event.js';
import { TurfError } from '../cli/turf-error.js';

/** Events that wait for one listener: some 200 bytes each. */
const MOST_WAITING = 10_000;

/** Where lifecycle events are published, and streamed to whoever listens. */
export class EventBus {
  readonly #emitter = new EventEmitter<{ event: [LifecycleEvent] }>().setMaxListeners(0);

  publish(event: Omit<LifecycleEvent, 'time'>): void {
    this.#emitter.emit('event', { ...event, time: new Date().toISOString() });
  }

  /** How many listen. */
  get listeners(): number {
    return this.#emitter.listenerCount('event');
  }

  /** Calls back for each event until the returned function is called. */
  subscribe(listener: (event: LifecycleEvent) => void): () => void {
    this.#emitter.on('event', listener);
    return () => this.#emitter.off('event', listener);
  }

  /**
   * Events from now on; ends when `signal` aborts.
   *
   * @param most how many may wait to be read: a listener that does not read must not fill the daemon's memory
   * @throws TurfError TURF_ERR_UNAVAILABLE where there are more, after those that waited
   */
  async *stream(signal?: AbortSignal, most = MOST_WAITING): AsyncGenerator<LifecycleEvent, void> {
    const waiting: LifecycleEvent[] = [];
    const state = { overrun: false };
    let wake = (): void => undefined;
    const leave = this.subscribe((event) => {
      if (waiting.length < most) waiting.push(event);
      else {
        state.overrun = true;
        leave();
      }
      wake();
    });
    const aborted = (): void => wake();
    signal?.addEventListener('abort', aborted);
    try {
      while (signal?.aborted !== true) {
        const event = waiting.shift();
        if (event !== undefined) yield event;
        else if (state.overrun) {
          const message = `more than ${most} events wait for a listener that does not read them`;
          throw new TurfError('TURF_ERR_UNAVAILABLE', message);
        } else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      leave();
      signal?.removeEventListener('abort', aborted);
    }
  }
}
