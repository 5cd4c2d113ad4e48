import { FetchEvent, followExtensions, responseOf, whileDispatching } from '../scope/events.js';
import { extendLifetime } from './lifetimes.js';
import { dispatchCollecting, hasListened } from '../scope/scope-events.js';

/** The third argument of `export default { fetch(request, env, ctx) }`. */
export interface FetchContext {
  waitUntil(promise: unknown): void;
}
export type DefaultFetch = (request: Request, env: object, context: FetchContext) => unknown;

/** The worker's answer, or a promise of it: a Response, or undefined when nobody answers. Anything else is the caller's to refuse. */
export type Answer = unknown;

class Context implements FetchContext {
  /** Keeps the worker from ending until `promise` has settled. */
  waitUntil(promise: unknown): void {
    extendLifetime(promise);
  }
}

/**
 * Raises `fetch`; where no listener answers, calls the `fetch` of the main module's default export.
 *
 * @throws what the handler throws
 */
export function handleFetch(request: Request, defaultFetch: DefaultFetch | undefined, env: object): Answer {
  if (hasListened('fetch')) {
    const event = new FetchEvent('fetch', { request, cancelable: true });
    followExtensions(event, extendLifetime);
    const errors = whileDispatching(event, dispatchCollecting);
    const answer = responseOf(event);
    if (answer !== undefined) return answer;
    if (errors.length > 0) throw errors[0];
    // Service Workers, "Handle Fetch": an event that was cancelled and not answered is a network error.
    if (event.defaultPrevented) throw new TypeError('The fetch event was cancelled and not answered');
  }
  return defaultFetch?.(request, env, new Context());
}

/** The `fetch` of a module's default export, bound to it. */
export function defaultFetchOf(namespace: object): DefaultFetch | undefined {
  const exported: unknown = 'default' in namespace ? namespace.default : undefined;
  if (typeof exported !== 'object' || exported === null || !('fetch' in exported)) return undefined;
  const { fetch } = exported;
  return typeof fetch === 'function' ? (...args): unknown => Reflect.apply(fetch, exported, args) : undefined;
}
