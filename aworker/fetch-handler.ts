import { FetchEvent, responseOf, whileDispatching } from './events.js';
import { describe } from './fatal.js';
import { dispatchCollecting } from './scope-events.js';
import { writeText } from './standard-output.js';

/** The second and third argument of `export default { fetch(request, env, ctx) }`. */
export interface FetchContext {
  waitUntil(promise: unknown): void;
}
export type DefaultFetch = (request: Request, env: object, context: FetchContext) => unknown;

function contextOf(): FetchContext {
  return {
    waitUntil(promise) {
      Promise.resolve(promise).catch((error: unknown) => writeText(2, `${describe(error)}\n`));
    },
  };
}

/**
 * Raises `fetch`; where no listener answers, calls the `fetch` of the main module's default export.
 *
 * @returns undefined when neither exists or answers
 * @throws what the handler throws
 */
export async function handleFetch(
  request: Request,
  defaultFetch: DefaultFetch | undefined,
  env: object,
): Promise<Response | undefined> {
  const event = new FetchEvent('fetch', { request, cancelable: true });
  const errors = whileDispatching(event, () => dispatchCollecting(event));
  const answer = responseOf(event);
  if (answer !== undefined) return answer;
  if (errors.length > 0) throw errors[0];
  if (defaultFetch === undefined) return undefined;
  const response = await defaultFetch(request, env, contextOf());
  if (response instanceof Response) return response;
  throw new TypeError('The fetch handler did not answer with a Response');
}

/** The `fetch` of a module's default export, bound to it. */
export function defaultFetchOf(namespace: object): DefaultFetch | undefined {
  const exported: unknown = 'default' in namespace ? namespace.default : undefined;
  if (typeof exported !== 'object' || exported === null || !('fetch' in exported)) return undefined;
  const { fetch } = exported;
  return typeof fetch === 'function' ? (...args): unknown => Reflect.apply(fetch, exported, args) : undefined;
}
