/** HTML, 8.6 to 8.10 and 10.2; Service Workers, 4.1. */

interface WorkerLocation {
  readonly hash: string;
  readonly host: string;
  readonly hostname: string;
  readonly href: string;
  readonly origin: string;
  readonly pathname: string;
  readonly port: string;
  readonly protocol: string;
  readonly search: string;
  toString(): string;
}
declare var WorkerLocation: { prototype: WorkerLocation };

interface WorkerNavigator {
  readonly appCodeName: string;
  readonly appName: string;
  readonly appVersion: string;
  readonly hardwareConcurrency: number;
  readonly language: string;
  readonly languages: readonly string[];
  readonly onLine: boolean;
  readonly platform: string;
  readonly product: string;
  readonly userAgent: string;
}
declare var WorkerNavigator: { prototype: WorkerNavigator };

interface WorkerGlobalScopeEventMap {
  error: ErrorEvent;
  rejectionhandled: PromiseRejectionEvent;
  unhandledrejection: PromiseRejectionEvent;
}
interface ServiceWorkerGlobalScopeEventMap extends WorkerGlobalScopeEventMap {
  activate: ExtendableEvent;
  deserialize: ExtendableEvent;
  fetch: FetchEvent;
  install: ExtendableEvent;
  serialize: ExtendableEvent;
  uninstall: ExtendableEvent;
}

type OnErrorEventHandler =
  ((message: string, filename: string, lineno: number, colno: number, error: unknown) => unknown) | null;
/** What a timer runs: a function, which may do without its arguments, or the source of a script. */
type TimerHandler<A extends unknown[]> = string | ((...args: A) => unknown);

interface WorkerGlobalScope extends TypedEventTarget<ServiceWorkerGlobalScopeEventMap> {
  readonly caches: CacheStorage;
  readonly crossOriginIsolated: boolean;
  readonly crypto: Crypto;
  readonly isSecureContext: boolean;
  readonly location: WorkerLocation;
  readonly navigator: WorkerNavigator;
  onerror: OnErrorEventHandler;
  onrejectionhandled: ((event: PromiseRejectionEvent) => void) | null;
  onunhandledrejection: ((event: PromiseRejectionEvent) => void) | null;
  readonly origin: string;
  readonly performance: Performance;
  readonly self: WorkerGlobalScope & typeof globalThis;
  atob(data: string): string;
  btoa(data: string): string;
  clearInterval(handle?: number): void;
  clearTimeout(handle?: number): void;
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** Always throws: a module imports with `import`. */
  importScripts(...urls: string[]): never;
  queueMicrotask(callback: () => void): void;
  reportError(error: unknown): void;
  setInterval<A extends unknown[]>(
    handler: TimerHandler<A>,
    milliseconds?: number,
    ...args: Partial<A>
  ): number;
  setTimeout<A extends unknown[]>(
    handler: TimerHandler<A>,
    milliseconds?: number,
    ...args: Partial<A>
  ): number;
  structuredClone<T>(value: T, options?: StructuredSerializeOptions): T;
}
declare var WorkerGlobalScope: { prototype: WorkerGlobalScope };

interface ServiceWorkerGlobalScope extends WorkerGlobalScope {
  onactivate: ((event: ExtendableEvent) => void) | null;
  ondeserialize: ((event: ExtendableEvent) => void) | null;
  onfetch: ((event: FetchEvent) => void) | null;
  oninstall: ((event: ExtendableEvent) => void) | null;
  onserialize: ((event: ExtendableEvent) => void) | null;
  onuninstall: ((event: ExtendableEvent) => void) | null;
}
declare var ServiceWorkerGlobalScope: { prototype: ServiceWorkerGlobalScope };

/** Who this worker is. */
interface Aworker {
  readonly id: string;
  /** In the worker's own namespace. */
  readonly pid: number;
  readonly hostname: string;
  readonly env: Readonly<Record<string, string>>;
  /** Of the runtime. */
  readonly version: string;
}
declare var aworker: Aworker;

declare var crossOriginIsolated: boolean;
declare var isSecureContext: boolean;
declare var location: WorkerLocation;
declare var navigator: WorkerNavigator;
declare var origin: string;
declare var self: ServiceWorkerGlobalScope & typeof globalThis;

declare var onactivate: ServiceWorkerGlobalScope['onactivate'];
declare var ondeserialize: ServiceWorkerGlobalScope['ondeserialize'];
declare var onerror: OnErrorEventHandler;
declare var onfetch: ServiceWorkerGlobalScope['onfetch'];
declare var oninstall: ServiceWorkerGlobalScope['oninstall'];
declare var onrejectionhandled: ServiceWorkerGlobalScope['onrejectionhandled'];
declare var onserialize: ServiceWorkerGlobalScope['onserialize'];
declare var onuninstall: ServiceWorkerGlobalScope['onuninstall'];
declare var onunhandledrejection: ServiceWorkerGlobalScope['onunhandledrejection'];

declare function addEventListener<K extends keyof ServiceWorkerGlobalScopeEventMap>(
  type: K,
  listener: (event: ServiceWorkerGlobalScopeEventMap[K]) => void,
  options?: AddEventListenerOptions | boolean,
): void;
declare function addEventListener(
  type: string,
  listener: EventListenerOrEventListenerObject | null,
  options?: AddEventListenerOptions | boolean,
): void;
declare function removeEventListener<K extends keyof ServiceWorkerGlobalScopeEventMap>(
  type: K,
  listener: (event: ServiceWorkerGlobalScopeEventMap[K]) => void,
  options?: EventListenerOptions | boolean,
): void;
declare function removeEventListener(
  type: string,
  listener: EventListenerOrEventListenerObject | null,
  options?: EventListenerOptions | boolean,
): void;
declare function dispatchEvent(event: Event): boolean;

declare function atob(data: string): string;
declare function btoa(data: string): string;
declare function clearInterval(handle?: number): void;
declare function clearTimeout(handle?: number): void;
declare function fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
/** Always throws: a module imports with `import`. */
declare function importScripts(...urls: string[]): never;
declare function queueMicrotask(callback: () => void): void;
declare function reportError(error: unknown): void;
declare function setInterval<A extends unknown[]>(
  handler: TimerHandler<A>,
  milliseconds?: number,
  ...args: Partial<A>
): number;
declare function setTimeout<A extends unknown[]>(
  handler: TimerHandler<A>,
  milliseconds?: number,
  ...args: Partial<A>
): number;
declare function structuredClone<T>(value: T, options?: StructuredSerializeOptions): T;
