import { EventEmitter, on } from 'node:events';
import { type LifecycleEvent } from '../cli/lifecycle-event.js';

/** Where lifecycle events are published, and streamed to whoever listens. */
export class EventBus {
  readonly #emitter = new EventEmitter<{ event: [LifecycleEvent] }>().setMaxListeners(0);

  publish(event: Omit<LifecycleEvent, 'time'>): void {
    this.#emitter.emit('event', { ...event, time: new Date().toISOString() });
  }

  /** Calls back for each event until the returned function is called. */
  subscribe(listener: (event: LifecycleEvent) => void): () => void {
    this.#emitter.on('event', listener);
    return () => this.#emitter.off('event', listener);
  }

  /** Events from now on; ends when `signal` aborts. */
  async *stream(signal?: AbortSignal): AsyncGenerator<LifecycleEvent, void> {
    const options = signal === undefined ? {} : { signal };
    try {
      for await (const [event] of on(this.#emitter, 'event', options) as AsyncIterable<[LifecycleEvent]>)
        yield event;
    } catch (error) {
      if (signal?.aborted !== true) throw error;
    }
  }
}
