import { Request, Response } from './fetch-family.js';

export interface MatchOptions {
  readonly ignoreSearch?: boolean;
  readonly ignoreMethod?: boolean;
  readonly ignoreVary?: boolean;
}

/** What an entry keeps of a response. */
interface CachedResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly url: string;
  readonly redirected: boolean;
  readonly type: string;
}

/** Objects besides the body: names, values, and what the engine adds. */
const OVERHEAD_BYTES = 512;

function withoutHash(url: string): string {
  const at = url.indexOf('#');
  return at < 0 ? url : url.slice(0, at);
}

/** A request and the response it got, whose body is read as often as it matches. */
export class CachedEntry {
  readonly request: Request;
  readonly bytes: number;
  readonly vary: readonly string[];
  readonly #status: number;
  readonly #statusText: string;
  readonly #headers: [string, string][];
  readonly #body: Uint8Array<ArrayBuffer> | null;
  readonly #facts: Readonly<Record<string, unknown>>;

  constructor(request: Request, response: CachedResponse, body: Uint8Array<ArrayBuffer> | null) {
    const { url, redirected, type } = response;
    this.request = request;
    this.#status = response.status;
    this.#statusText = response.statusText;
    this.#headers = [...response.headers];
    this.#body = body;
    this.#facts = { url, redirected, type };
    this.vary = (response.headers.get('vary') ?? '')
      .split(',')
      .map((field) => field.trim())
      .filter((field) => field !== '');
    this.bytes =
      OVERHEAD_BYTES +
      request.url.length +
      this.#headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0) +
      (body?.byteLength ?? 0);
  }

  /** A response of the caller's own. */
  response(): Response {
    const made = new Response(this.#body, {
      status: this.#status,
      statusText: this.#statusText,
      headers: this.#headers,
    });
    // A constructed response knows no address; a cached one has that of the one it was made from.
    for (const [name, value] of Object.entries(this.#facts))
      if (Reflect.get(made, name) !== value)
        Object.defineProperty(made, name, { value, enumerable: true, configurable: true });
    return made;
  }
}

/** Request matches cached item (Service Workers, 5.4, "request matches cached item"). */
export function matches(query: Request, entry: CachedEntry, options: MatchOptions): boolean {
  const { request } = entry;
  if (options.ignoreMethod !== true && request.method !== 'GET') return false;
  let asked = withoutHash(query.url);
  let cached = withoutHash(request.url);
  if (options.ignoreSearch === true) {
    asked = asked.split('?', 1).join('');
    cached = cached.split('?', 1).join('');
  }
  if (asked !== cached) return false;
  return (
    options.ignoreVary === true ||
    entry.vary.every((field) => query.headers.get(field) === request.headers.get(field))
  );
}

/** RequestInfo: a Request, or an address. @throws TypeError */
export function toRequest(info: unknown): Request {
  return info instanceof Request ? info : new Request(info as string);
}

/** CacheQueryOptions. @throws TypeError */
export function toMatchOptions(options: unknown): MatchOptions {
  if (options === undefined || options === null) return {};
  if (typeof options !== 'object' && typeof options !== 'function')
    throw new TypeError('The options are no object');
  return {
    ignoreSearch: Boolean(Reflect.get(options, 'ignoreSearch')),
    ignoreMethod: Boolean(Reflect.get(options, 'ignoreMethod')),
    ignoreVary: Boolean(Reflect.get(options, 'ignoreVary')),
  };
}
