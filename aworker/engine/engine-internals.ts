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

/** lib/internal/worker/js_transferable.js */
const TRANSFERABLE = 'internal/worker/js_transferable';

function symbolOf(name: string): symbol {
  const exports: unknown = require(TRANSFERABLE);
  const found: unknown =
    typeof exports === 'object' && exports !== null ? Reflect.get(exports, name) : undefined;
  if (typeof found !== 'symbol') throw new Error(`This Node.js has no ${name} in ${TRANSFERABLE}`);
  return found;
}

/** The methods that structured cloning calls: of an object, for what to clone in its place, and of the new one, with that. */
export function cloneSymbols(): { readonly clone: symbol; readonly deserialize: symbol } {
  return { clone: symbolOf('kClone'), deserialize: symbolOf('kDeserialize') };
}

const { create } = Object;
const { construct } = Reflect;

/**
 * What makes objects of that class, not constructed, which structured cloning asks by the methods of `cloneSymbols`; to be called when user code may
 * have replaced anything of the language.
 */
export function clonableMaker(constructor: { readonly prototype: object }): () => object {
  const exports = require(TRANSFERABLE) as Readonly<Record<string, unknown>>;
  const { prototype } = constructor;
  const { markTransferMode: mark, JSTransferable: Base } = exports;
  if (typeof mark === 'function')
    return () => {
      const object = create(prototype) as object;
      (mark as (object: object, clonable: boolean, transferable: boolean) => void)(object, true, false);
      return object;
    };
  // Up to Node.js 20 such objects have a field of C++.
  if (typeof Base !== 'function')
    throw new Error(`This Node.js has nothing in ${TRANSFERABLE} to make objects clonable`);
  return () => construct(Base, [], constructor as unknown as new () => object) as object;
}

/**
 * What makes a new object of a class of the engine's, to be called when nothing of the language may be relied on any more: user code may have
 * replaced it.
 *
 * @param kind as the engine names it, `internal/blob:Blob`
 */
export function makerOf(kind: string): () => object {
  const [module = '', name = ''] = kind.split(':');
  return () => {
    const exports = require(module) as Readonly<Record<string, new () => object>>;
    const Class = exports[name];
    if (Class === undefined) throw new Error(`This Node.js has no ${kind}`);
    return new Class();
  };
}

/** @param create makes the new object where structured cloning meets one of JavaScript's; `kind` is what the original called itself */
export function createClonesBy(create: (kind: unknown) => object): void {
  const binding: unknown = internal('internal/test/binding', 'internalBinding')('messaging');
  member(binding, 'setDeserializerCreateObjectFunction', 'messaging')(create);
}

/** Makes an object that EventTarget's constructor did not make a target of events. */
export function becomeEventTarget(object: object): void {
  internal('internal/event_target', 'initEventTarget')(object);
}

/** Puts before the stack of an error the place in the script that the engine blames: `file:line`, the line, and a mark below it. */
export function showPlace(error: Error): void {
  internal('internal/util', 'decorateErrorStack')(error);
}
