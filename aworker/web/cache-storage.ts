import { type Cache, createCache, emptyList } from './cache.js';
import { type CachedEntry } from './cache-entry.js';
import {
  conform,
  illegalConstructor,
  illegalInvocation,
  requireArguments,
  toDomString,
} from './interface.js';

const storages = new WeakMap<CacheStorage, Map<string, CachedEntry[]>>();

function cachesOf(storage: unknown): Map<string, CachedEntry[]> {
  return storages.get(storage as CacheStorage) ?? illegalInvocation();
}

function cacheName(options: unknown): string | undefined {
  if (typeof options !== 'object' || options === null) return undefined;
  const name: unknown = Reflect.get(options, 'cacheName');
  return name === undefined ? undefined : toDomString(name);
}

/** Service Workers, 5.5: the worker's own caches, by name. */
export class CacheStorage {
  constructor() {
    illegalConstructor();
  }

  async match(request: unknown, options?: unknown): Promise<Response | undefined> {
    const caches = cachesOf(this);
    requireArguments('CacheStorage.match', 1, arguments.length);
    const name = cacheName(options);
    for (const [key, list] of caches) {
      if (name !== undefined && name !== key) continue;
      const found = await createCache(list).match(request, options);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async has(name: unknown): Promise<boolean> {
    const caches = cachesOf(this);
    requireArguments('CacheStorage.has', 1, arguments.length);
    return caches.has(toDomString(name));
  }

  async open(name: unknown): Promise<Cache> {
    const caches = cachesOf(this);
    requireArguments('CacheStorage.open', 1, arguments.length);
    const key = toDomString(name);
    const list = caches.get(key) ?? [];
    caches.set(key, list);
    return createCache(list);
  }

  async delete(name: unknown): Promise<boolean> {
    const caches = cachesOf(this);
    requireArguments('CacheStorage.delete', 1, arguments.length);
    const key = toDomString(name);
    emptyList(caches.get(key) ?? []);
    return caches.delete(key);
  }

  async keys(): Promise<string[]> {
    return [...cachesOf(this).keys()];
  }
}
Object.defineProperty(CacheStorage.prototype.match, 'length', { value: 1, configurable: true });
conform(CacheStorage);

export function createCacheStorage(): CacheStorage {
  const storage = Object.create(CacheStorage.prototype) as CacheStorage;
  storages.set(storage, new Map());
  return storage;
}
