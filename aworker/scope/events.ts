import { conform, illegalInvocation, requireArguments } from '../web/interface.js';

/** The event classes that a worker sees: Service Workers, sections 4.4 to 4.6; HTML, section 8.1.4 for errors. */

export type EventOptions = NonNullable<ConstructorParameters<typeof Event>[1]>;

const SETTLED = Promise.resolve();

/** What keeps an event's phase open. */
class Extension {
  dispatching = false;
  pending = 0;
  /** Those given to waitUntil. */
  promises: Promise<unknown>[] | undefined;
  /** Told of each of them. */
  follow: ((promise: Promise<unknown>) => void) | undefined;

  /** The phase is open until `promise` has settled. */
  hold(promise: Promise<unknown>): void {
    this.pending += 1;
    const done = (): void => {
      this.pending -= 1;
    };
    promise.then(done, done);
  }
}

let extensionOf: (event: ExtendableEvent) => Extension;
let answerOf: (event: FetchEvent) => unknown;

export class ExtendableEvent extends Event {
  readonly #extension = new Extension();

  static {
    extensionOf = (event) => (#extension in event ? event.#extension : illegalInvocation());
  }

  constructor(type: string, init: EventOptions = {}) {
    requireArguments('ExtendableEvent', 1, arguments.length);
    super(type, init);
  }

  /** Keeps the event's phase open until `promise` settles; its rejection fails the phase. */
  waitUntil(promise: unknown): void {
    const extension = extensionOf(this);
    requireArguments('ExtendableEvent.waitUntil', 1, arguments.length);
    if (!extension.dispatching && extension.pending === 0) {
      throw new DOMException('The event is no longer active', 'InvalidStateError');
    }
    const work = Promise.resolve(promise);
    (extension.promises ??= []).push(work);
    extension.hold(work);
    extension.follow?.(work);
  }
}

export interface FetchEventInit extends EventOptions {
  readonly request: Request;
}

function isThenable(value: object): boolean {
  return 'then' in value && typeof value.then === 'function';
}

export class FetchEvent extends ExtendableEvent {
  readonly #request: Request;
  #answer: unknown;

  static {
    answerOf = (event) => event.#answer;
  }

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
    const extension = extensionOf(this);
    if (!extension.dispatching) {
      throw new DOMException(
        'respondWith() must be called while the event is dispatched',
        'InvalidStateError',
      );
    }
    if (this.#answer !== undefined)
      throw new DOMException('respondWith() was already called', 'InvalidStateError');
    this.stopImmediatePropagation();
    const given: unknown = response;
    // What is here already is sent at once; the phase lasts as long as if it had been waited for.
    if (typeof given === 'object' && given !== null && !isThenable(given)) {
      this.#answer = given;
      extension.hold(SETTLED);
    } else {
      const answer = Promise.resolve(response);
      this.#answer = answer;
      extension.hold(answer);
    }
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
export function whileDispatching<T>(event: ExtendableEvent, dispatch: (event: Event) => T): T {
  const extension = extensionOf(event);
  extension.dispatching = true;
  try {
    return dispatch(event);
  } finally {
    extension.dispatching = false;
  }
}

/** Calls `follow` with every promise that waitUntil will be given. */
export function followExtensions(event: ExtendableEvent, follow: (promise: Promise<unknown>) => void): void {
  extensionOf(event).follow = follow;
}

/** Resolves once every promise given to waitUntil, also later ones, has settled; rejects with the first rejection. */
export async function settled(event: ExtendableEvent): Promise<void> {
  const extension = extensionOf(event);
  let waited = 0;
  while (waited < (extension.promises?.length ?? 0)) {
    const promises = extension.promises ?? [];
    waited = promises.length;
    await Promise.all(promises);
  }
}

/** What respondWith was given, if it was called: a promise, or an object that is none. */
export function responseOf(event: FetchEvent): unknown {
  return answerOf(event);
}
