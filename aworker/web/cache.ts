import { conform, illegalConstructor, illegalInvocation, requireArguments } from './interface.js';
import { CachedEntry, matches, type MatchOptions, toMatchOptions, toRequest } from './cache-entry.js';
import { Response } from './fetch-family.js';
import { QuotaExceededError } from './quota-exceeded-error.js';

/** What all caches of one worker may hold. */
export const CACHE_LIMIT_BYTES = 32 * 1024 * 1024;

let held = 0;

/** Accounts for a change of the bytes held. @throws QuotaExceededError: nothing is accounted then */
function hold(bytes: number): void {
  if (held + bytes > CACHE_LIMIT_BYTES)
    throw new QuotaExceededError(`The caches of a worker hold ${CACHE_LIMIT_BYTES} bytes at most`, {
      quota: CACHE_LIMIT_BYTES,
      requested: held + bytes,
    });
  held += bytes;
}

const entries = new WeakMap<Cache, CachedEntry[]>();

function listOf(cache: unknown): CachedEntry[] {
  return entries.get(cache as Cache) ?? illegalInvocation();
}

/** Frees what a cache holds that is thrown away as a whole. */
export function emptyList(list: CachedEntry[]): void {
  for (const entry of list.splice(0)) hold(-entry.bytes);
}

/** An object for what a cache holds; several may stand for the same. */
export function createCache(list: CachedEntry[]): Cache {
  const cache = Object.create(Cache.prototype) as Cache;
  entries.set(cache, list);
  return cache;
}

/** A response that `put` may store (Service Workers, 5.4.5). */
async function readEntry(request: Request, response: unknown): Promise<CachedEntry> {
  if (!(response instanceof Response))
    throw new TypeError('Cache.put: the second argument is not a Response');
  if (!/^https?:/.test(request.url) || request.method !== 'GET')
    throw new TypeError('Cache.put: the request is not a GET for an HTTP address');
  if (response.status === 206) throw new TypeError('Cache.put: partial responses cannot be stored');
  const vary = response.headers.get('vary') ?? '';
  if (vary.split(',').some((field) => field.trim() === '*'))
    throw new TypeError('Cache.put: a response that varies by everything cannot be stored');
  if (response.bodyUsed || response.body?.locked === true)
    throw new TypeError('Cache.put: the body of the response was used');
  const body = response.body === null ? null : new Uint8Array(await response.arrayBuffer());
  return new CachedEntry(request, response, body);
}

/** Puts all of them or none. */
function store(list: CachedEntry[], made: readonly CachedEntry[]): void {
  const replaced = list.filter((old) => made.some((entry) => matches(entry.request, old, {})));
  hold(made.reduce((sum, { bytes }) => sum + bytes, 0) - replaced.reduce((sum, { bytes }) => sum + bytes, 0));
  for (const old of replaced) list.splice(list.indexOf(old), 1);
  list.push(...made);
}

function select(list: readonly CachedEntry[], request: unknown, options: MatchOptions): CachedEntry[] {
  if (request === undefined) return [...list];
  const query = toRequest(request);
  if (query.method !== 'GET' && options.ignoreMethod !== true) return [];
  return list.filter((entry) => matches(query, entry, options));
}

/** Service Workers, 5.4. Held in memory: it ends with the worker, and a clone begins with what its seed had. */
export class Cache {
  constructor() {
    illegalConstructor();
  }

  async match(request: unknown, options?: unknown): Promise<Response | undefined> {
    const list = listOf(this);
    requireArguments('Cache.match', 1, arguments.length);
    return select(list, toRequest(request), toMatchOptions(options))[0]?.response();
  }

  async matchAll(...[request, options]: unknown[]): Promise<readonly Response[]> {
    const found = select(listOf(this), request, toMatchOptions(options));
    return Object.freeze(found.map((entry) => entry.response()));
  }

  async add(request: unknown): Promise<void> {
    listOf(this);
    requireArguments('Cache.add', 1, arguments.length);
    await Reflect.apply(addAll, this, [[request]]);
  }

  async addAll(requests: unknown): Promise<void> {
    listOf(this);
    requireArguments('Cache.addAll', 1, arguments.length);
    await Reflect.apply(addAll, this, [requests]);
  }

  async put(request: unknown, response: unknown): Promise<void> {
    const list = listOf(this);
    requireArguments('Cache.put', 2, arguments.length);
    store(list, [await readEntry(toRequest(request), response)]);
  }

  async delete(request: unknown, options?: unknown): Promise<boolean> {
    const list = listOf(this);
    requireArguments('Cache.delete', 1, arguments.length);
    const found = select(list, toRequest(request), toMatchOptions(options));
    for (const entry of found) {
      list.splice(list.indexOf(entry), 1);
      hold(-entry.bytes);
    }
    return found.length > 0;
  }

  async keys(...[request, options]: unknown[]): Promise<readonly Request[]> {
    const found = select(listOf(this), request, toMatchOptions(options));
    return Object.freeze(found.map((entry) => entry.request));
  }
}

/** Fetches all, then stores all or nothing (5.4.4). */
async function addAll(this: Cache, requests: unknown): Promise<void> {
  const list = listOf(this);
  if (typeof requests !== 'object' || requests === null || !(Symbol.iterator in requests))
    throw new TypeError('Cache.addAll: the requests are not iterable');
  const wanted = [...(requests as Iterable<unknown>)].map(toRequest);
  for (const { url, method } of wanted)
    if (!/^https?:/.test(url) || method !== 'GET')
      throw new TypeError('Cache.addAll: a request is not a GET for an HTTP address');
  const made = await Promise.all(
    wanted.map(async (request) => {
      const response = await fetch(request.clone());
      if (!response.ok) throw new TypeError(`Cache.addAll: ${request.url} answered ${response.status}`);
      return readEntry(request, response);
    }),
  );
  const repeated = made.some((entry, i) =>
    made.some((other, j) => i < j && matches(entry.request, other, {})),
  );
  if (repeated) throw new DOMException('Cache.addAll: a request is given twice', 'InvalidStateError');
  store(list, made);
}
conform(Cache);
for (const [name, length] of Object.entries({ match: 1, matchAll: 0, delete: 1, keys: 0 }))
  Object.defineProperty(Reflect.get(Cache.prototype, name), 'length', { value: length, configurable: true });
