import { conform, illegalInvocation, requireArguments } from './web/interface.js';

/** The event classes that a worker sees: Service Workers, sections 4.4 to 4.6; HTML, section 8.1.4 for errors. */

export type EventOptions = NonNullable<ConstructorParameters<typeof Event>[1]>;

interface Extension {
  dispatching: boolean;
  pending: number;
  promises: Promise<unknown>[];
}

const extensions = new WeakMap<ExtendableEvent, Extension>();
const responses = new WeakMap<FetchEvent, Promise<Response>>();

function extensionOf(event: ExtendableEvent): Extension {
  const extension = extensions.get(event);
  return extension ?? illegalInvocation();
}

export class ExtendableEvent extends Event {
  constructor(type: string, init: EventOptions = {}) {
    requireArguments('ExtendableEvent', 1, arguments.length);
    super(type, init);
    extensions.set(this, { dispatching: false, pending: 0, promises: [] });
  }

  /** Keeps the event's phase open until `promise` settles; its rejection fails the phase. */
  waitUntil(promise: unknown): void {
    const extension = extensionOf(this);
    requireArguments('ExtendableEvent.waitUntil', 1, arguments.length);
    if (!extension.dispatching && extension.pending === 0) {
      throw new DOMException('The event is no longer active', 'InvalidStateError');
    }
    extension.pending += 1;
    const done = (): void => {
      extension.pending -= 1;
    };
    const settled = Promise.resolve(promise);
    extension.promises.push(settled);
    settled.then(done, done);
  }
}

export interface FetchEventInit extends EventOptions {
  readonly request: Request;
}

export class FetchEvent extends ExtendableEvent {
  readonly #request: Request;

  constructor(type: string, init: FetchEventInit) {
    requireArguments('FetchEvent', 2, arguments.length);
    super(type, init);
    if (typeof init.request !== 'object') throw new TypeError('FetchEvent: request is not a Request');
    this.#request = init.request;
  }

  get request(): Request {
    return this.#request;
  }

  get clientId(): string {
    extensionOf(this);
    return '';
  }

  /** Answers the request; only while the event is dispatched, and once. */
  respondWith(response: Response | Promise<Response>): void {
    if (!extensionOf(this).dispatching) {
      throw new DOMException(
        'respondWith() must be called while the event is dispatched',
        'InvalidStateError',
      );
    }
    if (responses.has(this)) throw new DOMException('respondWith() was already called', 'InvalidStateError');
    this.stopImmediatePropagation();
    const answer = Promise.resolve(response);
    answer.catch(() => undefined);
    responses.set(this, answer);
    this.waitUntil(answer.catch(() => undefined));
  }
}

export interface PromiseRejectionEventInit extends EventOptions {
  readonly promise: Promise<unknown>;
  readonly reason?: unknown;
}

export class PromiseRejectionEvent extends Event {
  readonly #promise: Promise<unknown>;
  readonly #reason: unknown;

  constructor(type: string, init: PromiseRejectionEventInit) {
    requireArguments('PromiseRejectionEvent', 2, arguments.length);
    super(type, init);
    if (!('promise' in init)) throw new TypeError('PromiseRejectionEvent: promise is required');
    this.#promise = init.promise;
    this.#reason = init.reason;
  }

  get promise(): Promise<unknown> {
    return this.#promise;
  }

  get reason(): unknown {
    return this.#reason;
  }
}
for (const constructor of [ExtendableEvent, FetchEvent, PromiseRejectionEvent]) conform(constructor);
Object.defineProperty(ExtendableEvent, 'length', { value: 1, configurable: true });

/** Runs `dispatch` as the time in which the event's methods may be called. */
export function whileDispatching<T>(event: ExtendableEvent, dispatch: () => T): T {
  const extension = extensionOf(event);
  extension.dispatching = true;
  try {
    return dispatch();
  } finally {
    extension.dispatching = false;
  }
}

/** Resolves once every promise given to waitUntil, also later ones, has settled; rejects with the first rejection. */
export async function settled(event: ExtendableEvent): Promise<void> {
  const { promises } = extensionOf(event);
  let waited = 0;
  while (waited < promises.length) {
    waited = promises.length;
    await Promise.all(promises);
  }
}

/** What respondWith was given, if it was called. */
export function responseOf(event: FetchEvent): Promise<Response> | undefined {
  return responses.get(event);
}
