/** Service Workers, 4.4 to 4.6, and what an Aworker adds: docs/aworker.md has the order of events. */

interface ExtendableEvent extends Event {
  /** Keeps the phase open until `promise` settles; its rejection fails the phase. */
  waitUntil(promise: unknown): void;
}
declare var ExtendableEvent: {
  prototype: ExtendableEvent;
  new (type: string, init?: EventInit): ExtendableEvent;
};

interface FetchEventInit extends EventInit {
  request: Request;
}
interface FetchEvent extends ExtendableEvent {
  readonly clientId: string;
  readonly request: Request;
  /** Answers the request: once, and while the event is dispatched. */
  respondWith(response: Response | PromiseLike<Response>): void;
}
declare var FetchEvent: {
  prototype: FetchEvent;
  new (type: string, init: FetchEventInit): FetchEvent;
};

interface ExecutionContext {
  /** Keeps the worker from ending until `promise` has settled. */
  waitUntil(promise: unknown): void;
}

/**
 * The default export of a worker's main module, as `export default { … } satisfies ExportedHandler<Env>`.
 * `Env` names the worker's variables: `process.env` of the bundle, then `--env`.
 */
interface ExportedHandler<Env = Readonly<Record<string, string>>> {
  fetch?(request: Request, env: Env, ctx: ExecutionContext): Response | PromiseLike<Response>;
}
