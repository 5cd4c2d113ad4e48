/** What a worker may import beside modules. JSON is TypeScript's own: `resolveJsonModule`, and `with { type: 'json' }`. */

declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}

/** `with { type: 'text' }` */
declare module '*.txt' {
  const text: string;
  export default text;
}
/** `with { type: 'text' }` */
declare module '*.html' {
  const text: string;
  export default text;
}
/** `with { type: 'bytes' }` */
declare module '*.bin' {
  const bytes: Uint8Array;
  export default bytes;
}

/** The one module of Node.js. */
declare module 'node:async_hooks' {
  export class AsyncLocalStorage<T> {
    /** Binds a function to the current context. */
    static bind<F extends (...args: never[]) => unknown>(callback: F): F;
    /** A function that runs others in the current context. */
    static snapshot(): <R, A extends unknown[]>(callback: (...args: A) => R, ...args: A) => R;
    disable(): void;
    enterWith(store: T): void;
    exit<R, A extends unknown[]>(callback: (...args: A) => R, ...args: A): R;
    getStore(): T | undefined;
    run<R, A extends unknown[]>(store: T, callback: (...args: A) => R, ...args: A): R;
  }
  const modules: { AsyncLocalStorage: typeof AsyncLocalStorage };
  export default modules;
}

interface ImportMeta {
  /** Address of this module: a `file:` URL. */
  url: string;
}
