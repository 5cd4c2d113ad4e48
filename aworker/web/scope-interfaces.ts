import { conform, illegalConstructor, illegalInvocation } from './interface.js';

let constructed = false;

/** HTML, 10.2.1.1. */
export class WorkerGlobalScope extends EventTarget {
  constructor() {
    illegalConstructor();
    super();
  }
}

/** Service Workers, 4.1. */
export class ServiceWorkerGlobalScope extends WorkerGlobalScope {}
conform(WorkerGlobalScope);
conform(ServiceWorkerGlobalScope);

/** `this` of a member of the global scope: the global object, also where none is given. */
export function requireScope(value: unknown): void {
  if (value !== undefined && value !== null && value !== globalThis) illegalInvocation();
}

/** Gives the global object its interfaces. */
export function installScopeInterfaces(): void {
  if (constructed) return;
  constructed = true;
  Object.setPrototypeOf(globalThis, ServiceWorkerGlobalScope.prototype);
  Reflect.deleteProperty(globalThis, Symbol.toStringTag);
}

/** A read-only attribute; one that is replaceable becomes the global object's own property when it is assigned. */
export function defineScopeAttribute(name: string, read: () => unknown, replaceable = false): void {
  const accessors = {
    get [name](): unknown {
      requireScope(this);
      return read();
    },
    set [name](value: unknown) {
      requireScope(this);
      Object.defineProperty(globalThis, name, {
        value,
        writable: true,
        enumerable: true,
        configurable: true,
      });
    },
  };
  const { get, set } = Object.getOwnPropertyDescriptor(accessors, name) ?? {};
  if (get === undefined || set === undefined) return;
  Object.defineProperty(WorkerGlobalScope.prototype, name, {
    get,
    ...(replaceable ? { set } : {}),
    enumerable: true,
    configurable: true,
  });
  Reflect.deleteProperty(globalThis, name);
}

/**
 * An operation of WorkerGlobalScope.
 *
 * @param length how many arguments it requires
 */
export function defineScopeOperation(
  name: string,
  operation: (...args: never[]) => unknown,
  length: number = operation.length,
): void {
  const holder = {
    [name](...args: never[]): unknown {
      requireScope(this);
      return operation(...args);
    },
  };
  Object.defineProperty(holder[name], 'length', { value: length, configurable: true });
  Object.defineProperty(WorkerGlobalScope.prototype, name, {
    value: holder[name],
    writable: true,
    enumerable: true,
    configurable: true,
  });
  Reflect.deleteProperty(globalThis, name);
}
