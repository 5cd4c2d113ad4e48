/** Service Workers, 5.4 and 5.5. In memory, of this worker alone. */

interface CacheQueryOptions {
  ignoreSearch?: boolean;
  ignoreMethod?: boolean;
  ignoreVary?: boolean;
}
interface MultiCacheQueryOptions extends CacheQueryOptions {
  cacheName?: string;
}

interface Cache {
  add(request: RequestInfo | URL): Promise<void>;
  addAll(requests: Iterable<RequestInfo>): Promise<void>;
  delete(request: RequestInfo | URL, options?: CacheQueryOptions): Promise<boolean>;
  keys(request?: RequestInfo | URL, options?: CacheQueryOptions): Promise<readonly Request[]>;
  match(request: RequestInfo | URL, options?: CacheQueryOptions): Promise<Response | undefined>;
  matchAll(request?: RequestInfo | URL, options?: CacheQueryOptions): Promise<readonly Response[]>;
  put(request: RequestInfo | URL, response: Response): Promise<void>;
}
declare var Cache: { prototype: Cache };

interface CacheStorage {
  delete(name: string): Promise<boolean>;
  has(name: string): Promise<boolean>;
  keys(): Promise<string[]>;
  match(request: RequestInfo | URL, options?: MultiCacheQueryOptions): Promise<Response | undefined>;
  open(name: string): Promise<Cache>;
}
declare var CacheStorage: { prototype: CacheStorage };
declare var caches: CacheStorage;
