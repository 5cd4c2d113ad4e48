/** Which names the global object has: the language's, and those of the Web that a worker is promised. Everything else of Node's goes. */

/** ECMAScript, Intl, WebAssembly and the engine's own, in whatever version has them. */
const LANGUAGE =
  `AggregateError Array ArrayBuffer AsyncDisposableStack Atomics BigInt BigInt64Array BigUint64Array Boolean DataView Date
DisposableStack Error EvalError FinalizationRegistry Float16Array Float32Array Float64Array Function Infinity Int16Array Int32Array Int8Array
Intl Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Set SharedArrayBuffer String
SuppressedError Symbol SyntaxError Temporal TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet
WebAssembly decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval globalThis isFinite isNaN parseFloat parseInt undefined
unescape`.split(/\s+/);

/** Interfaces that are exposed in workers, and the global object's own members; members of WorkerGlobalScope are its prototype's. */
export const INTERFACES: readonly string[] =
  `AbortController AbortSignal Blob BroadcastChannel ByteLengthQueuingStrategy Cache CacheStorage
CloseEvent CompressionStream CountQueuingStrategy Crypto CryptoKey CustomEvent DOMException DecompressionStream ErrorEvent Event EventSource
EventTarget ExtendableEvent FetchEvent File FileList FileReader FormData Headers MessageChannel MessageEvent MessagePort Performance PerformanceEntry
PerformanceMark PerformanceMeasure PerformanceObserver PerformanceObserverEntryList PerformanceResourceTiming ProgressEvent PromiseRejectionEvent
QuotaExceededError ReadableByteStreamController ReadableStream ReadableStreamBYOBReader ReadableStreamBYOBRequest
ReadableStreamDefaultController ReadableStreamDefaultReader Request Response ServiceWorkerGlobalScope SubtleCrypto TextDecoder
TextDecoderStream TextEncoder TextEncoderStream TransformStream TransformStreamDefaultController URL URLPattern URLSearchParams WebSocket
WorkerGlobalScope WorkerLocation WorkerNavigator WritableStream WritableStreamDefaultController WritableStreamDefaultWriter`.split(
    /\s+/,
  );

const OWN_MEMBERS = ['aworker', 'console', 'WebSocketPair'];

/** Takes off the global object what neither list has; event handler attributes stay. */
export function expose(): void {
  const kept = new Set([...LANGUAGE, ...INTERFACES, ...OWN_MEMBERS]);
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (kept.has(name) || name.startsWith('on')) continue;
    if (!Reflect.deleteProperty(globalThis, name))
      throw new Error(`This Node.js has a global that cannot be hidden: ${name}`);
  }
  // Where Node has loaded its own copy of undici, its dispatcher is a property that cannot be deleted, but written.
  for (const symbol of Object.getOwnPropertySymbols(globalThis)) {
    if (Symbol.keyFor(symbol) !== undefined && !Reflect.deleteProperty(globalThis, symbol))
      Reflect.set(globalThis, symbol, undefined);
  }
}

/**
 * Remembers the global object as it is now.
 *
 * @returns makes it so again: an engine that starts from a snapshot lays its own globals over those that it finds, and brings some of the language only then
 */
export function rememberExposure(): () => void {
  const members = Object.getOwnPropertyDescriptors(globalThis);
  const known = new Set<PropertyKey>([...Reflect.ownKeys(members), ...LANGUAGE]);
  return () => {
    for (const name of Reflect.ownKeys(globalThis))
      if (!known.has(name) && !Reflect.deleteProperty(globalThis, name))
        Reflect.set(globalThis, name, undefined);
    Object.defineProperties(globalThis, members);
  };
}
