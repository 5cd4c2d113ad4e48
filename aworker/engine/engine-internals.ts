/**
 * The parts of Node.js that no public interface reaches (`--expose-internals`): closing Node's own module loader, whose `import()` would answer
 * `node:` names, and giving stacks without Node's frames. What is missing is an error at start, so that a new Node.js cannot open a hole silently.
 */
import { createRequire } from 'node:module';

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

const require = createRequire(import.meta.url);

function member(holder: unknown, name: string, where: string): AnyFunction {
  const found: unknown =
    typeof holder === 'object' && holder !== null ? Reflect.get(holder, name) : undefined;
  if (typeof found !== 'function')
    throw new Error(`This Node.js has no ${name} in ${where}: the worker runtime does not know it`);
  return (...args): unknown => Reflect.apply(found, holder, args);
}

function internal(module: string, name: string): AnyFunction {
  const exports: unknown = require(module);
  return member(exports, name, module);
}

/**
 * Makes Node's module loader refuse every `import()`. Code that the engine takes for the runtime's own (a `Function` constructor that the
 * runtime calls for a worker) would get Node's modules from it.
 */
export function closeNodeLoader(): void {
  const loader = internal('internal/modules/esm/loader', 'getOrInitializeCascadedLoader')();
  member(loader, 'import', 'the module loader');
  if (typeof loader !== 'object' || loader === null) return;
  Object.defineProperty(loader, 'import', {
    value: (specifier: unknown) =>
      Promise.reject(new TypeError(`Cannot import "${String(specifier)}": the importing code is no module`)),
  });
}

/** How stacks are written where user code sets no Error.prepareStackTrace. */
export function formatStacks(format: (error: unknown, frames: readonly NodeJS.CallSite[]) => string): void {
  internal('internal/errors', 'setInternalPrepareStackTrace')(format);
  Reflect.deleteProperty(Error, 'prepareStackTrace');
}

/** Makes an object that EventTarget's constructor did not make a target of events. */
export function becomeEventTarget(object: object): void {
  internal('internal/event_target', 'initEventTarget')(object);
}

/** Puts before the stack of an error the place in the script that the engine blames: `file:line`, the line, and a mark below it. */
export function showPlace(error: Error): void {
  internal('internal/util', 'decorateErrorStack')(error);
}
