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
  if (extension === undefined) throw new TypeError('Illegal invocation');
  return extension;
}

export class ExtendableEvent extends Event {
  constructor(type: string, init?: EventOptions) {
    super(type, init);
    extensions.set(this, { dispatching: false, pending: 0, promises: [] });
  }

  /** Keeps the event's phase open until `promise` settles; its rejection fails the phase. */
  waitUntil(promise: unknown): void {
    const extension = extensionOf(this);
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
  readonly request: Request;
  readonly clientId = '';

  constructor(type: string, init: FetchEventInit) {
    super(type, init);
    this.request = init.request;
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

export interface ErrorEventInit extends EventOptions {
  readonly message?: string;
  readonly filename?: string;
  readonly lineno?: number;
  readonly colno?: number;
  readonly error?: unknown;
}

export class ErrorEvent extends Event {
  readonly message: string;
  readonly filename: string;
  readonly lineno: number;
  readonly colno: number;
  readonly error: unknown;

  constructor(type: string, init: ErrorEventInit = {}) {
    super(type, init);
    this.message = init.message ?? '';
    this.filename = init.filename ?? '';
    this.lineno = init.lineno ?? 0;
    this.colno = init.colno ?? 0;
    this.error = init.error;
  }
}

export interface PromiseRejectionEventInit extends EventOptions {
  readonly promise: Promise<unknown>;
  readonly reason?: unknown;
}

export class PromiseRejectionEvent extends Event {
  readonly promise: Promise<unknown>;
  readonly reason: unknown;

  constructor(type: string, init: PromiseRejectionEventInit) {
    super(type, init);
    this.promise = init.promise;
    this.reason = init.reason;
  }
}

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
