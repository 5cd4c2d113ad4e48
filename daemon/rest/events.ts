import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { LifecycleEvent } from '../../cli/lifecycle-event.js';
import type { Operations } from '../../cli/operations.js';
import { abortOnClose } from './abort.js';
import { streamEndpoint } from './endpoint.js';

export interface EventsOptions {
  readonly operations: Operations;
  /** Milliseconds between comments that keep proxies from closing a quiet stream. */
  readonly heartbeatMs: number;
}

/** Lifecycle events as server-sent events (WHATWG HTML, section 9.2). */
export function events(app: FastifyInstance, { operations, heartbeatMs }: EventsOptions): void {
  streamEndpoint(app, {
    method: 'GET',
    url: '/events',
    summary: 'Lifecycle events as they happen',
    tag: 'events',
    status: 200,
    mediaType: 'text/event-stream',
    async stream({ reply }) {
      const iterator = operations.events(abortOnClose(reply))[Symbol.asyncIterator]();
      // Subscribed before the headers leave: a client that has them misses nothing.
      const first = iterator.next();
      return reply
        .type('text/event-stream; charset=utf-8')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        .send(Readable.from(frames(iterator, first, heartbeatMs)));
    },
  });
}

async function* frames(
  iterator: AsyncIterator<LifecycleEvent>,
  first: Promise<IteratorResult<LifecycleEvent>>,
  heartbeatMs: number,
): AsyncGenerator<string> {
  let pending = first;
  yield ': turf events\n\n';
  for (;;) {
    const result = await orHeartbeat(pending, heartbeatMs);
    if (result === undefined) {
      yield ': heartbeat\n\n';
      continue;
    }
    if (result.done === true) return;
    yield `event: ${result.value.type}\ndata: ${JSON.stringify(result.value)}\n\n`;
    pending = iterator.next();
  }
}

/** Resolves to undefined when nothing came in time. */
function orHeartbeat<T>(pending: Promise<T>, heartbeatMs: number): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, heartbeatMs, undefined);
    pending.then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });
}
