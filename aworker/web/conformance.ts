/** Where the engine's and libraries' classes differ from what Web IDL and their specifications declare, and can be set right in place. */
import { correctAbortOrder } from './abort-order.js';
import { INTERFACES } from './exposure.js';
import { correctFileClones } from './file-clones.js';
import { conform, defineConstants, isCallable } from './interface.js';
import { correctQuotaErrors } from './quota-exceeded-error.js';
import { correctWriteAfterClose } from './writable-stream.js';

type Constructor = abstract new (...args: never[]) => unknown;

/** Members that no specification has for a worker. */
const REMOVED: Readonly<
  Record<string, { readonly statics?: readonly string[]; readonly members?: readonly string[] }>
> = {
  URL: { statics: ['createObjectURL', 'revokeObjectURL'] },
  Performance: { members: ['eventLoopUtilization', 'nodeTiming', 'markResourceTiming', 'timerify'] },
};

function isConstructor(value: unknown): value is Constructor {
  return typeof value === 'function' && typeof value.prototype === 'object';
}

/** Node defines many classes by a getter that loads them: a worker's are ordinary properties. */
function materialise(name: string): Constructor | undefined {
  const value: unknown = Reflect.get(globalThis, name);
  if (!isConstructor(value)) return undefined;
  Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
  return value;
}

/** Functions that could be called with `new` become methods; one function under two names stays one. */
function makeMethods(prototype: object): void {
  const made = new Map<unknown, unknown>();
  for (const key of Reflect.ownKeys(prototype)) {
    const known = Object.getOwnPropertyDescriptor(prototype, key);
    const original: unknown = known?.value;
    if (key === 'constructor' || known?.configurable !== true || !isCallable(original)) continue;
    if (!Object.hasOwn(original, 'prototype') && !made.has(original)) continue;
    let method = made.get(original);
    if (method === undefined) {
      method = {
        method(this: unknown, ...args: unknown[]): unknown {
          return Reflect.apply(original, this, args);
        },
      }.method;
      for (const fact of ['name', 'length'] as const)
        Object.defineProperty(method, fact, { value: original[fact], configurable: true });
      made.set(original, method);
    }
    Object.defineProperty(prototype, key, { ...known, value: method });
  }
}

function nameGetters(prototype: object): void {
  for (const key of Object.getOwnPropertyNames(prototype)) {
    const { get, set } = Object.getOwnPropertyDescriptor(prototype, key) ?? {};
    if (get !== undefined && get.name !== `get ${key}`)
      Object.defineProperty(get, 'name', { value: `get ${key}`, configurable: true });
    if (set !== undefined && set.name !== `set ${key}`)
      Object.defineProperty(set, 'name', { value: `set ${key}`, configurable: true });
  }
}

function remove(object: object, names: readonly string[] = []): void {
  for (const name of names) Reflect.deleteProperty(object, name);
}

/** DOM, 2.2: setting `returnValue` to false cancels the event. Node.js 20 can only read it. */
function completeReturnValue(): void {
  const own = {
    get returnValue(): boolean {
      return !Reflect.get(Event.prototype, 'defaultPrevented', this);
    },
    set returnValue(value: unknown) {
      if (!value) Reflect.apply(Event.prototype.preventDefault, this, []);
    },
  };
  const known = Object.getOwnPropertyDescriptor(own, 'returnValue');
  if (known !== undefined) Object.defineProperty(Event.prototype, 'returnValue', known);
}

/** Web IDL, 3.7.7: an operation that returns a promise rejects where another would throw, also when it is called on something else. */
function rejectAlways(prototype: object, names: readonly string[]): void {
  for (const name of names) {
    const known = Object.getOwnPropertyDescriptor(prototype, name);
    const original: unknown = known?.value;
    if (!isCallable(original)) continue;
    const own = {
      async [name](...args: unknown[]): Promise<unknown> {
        return Reflect.apply(original, this, args);
      },
    };
    Object.defineProperty(own[name], 'length', { value: original.length, configurable: true });
    Object.defineProperty(prototype, name, { ...known, value: own[name] });
  }
}

/** A service worker's agent cannot block (HTML, 8.1.2: [[CanBlock]] is false): a wait would stop every request, without a trace of CPU time. */
export function refuseToBlock(): void {
  const own = {
    wait(): never {
      throw new TypeError('Atomics.wait cannot be called in a worker that answers requests');
    },
  };
  Object.defineProperty(own.wait, 'length', { value: 4, configurable: true });
  Object.defineProperty(Atomics, 'wait', {
    value: own.wait,
    writable: true,
    enumerable: false,
    configurable: true,
  });
}

/** Goes over every interface of the global scope. */
export function conformInterfaces(): void {
  rejectAlways(Blob.prototype, ['text', 'arrayBuffer', 'bytes']);
  for (const name of INTERFACES) {
    const constructor = materialise(name);
    if (constructor === undefined) continue;
    const { prototype } = constructor as { readonly prototype: object };
    remove(constructor, REMOVED[name]?.statics);
    remove(prototype, REMOVED[name]?.members);
    makeMethods(prototype);
    nameGetters(prototype);
    conform(constructor, name);
  }
  completeReturnValue();
  correctWriteAfterClose();
  correctAbortOrder();
  correctFileClones();
  correctQuotaErrors();
  defineConstants(Event, { NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 });
}
