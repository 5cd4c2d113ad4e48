import { createConsole } from '../engine/standard-output.js';

/** https://console.spec.whatwg.org/ */
const METHODS = [
  'assert',
  'clear',
  'count',
  'countReset',
  'debug',
  'dir',
  'dirxml',
  'error',
  'group',
  'groupCollapsed',
  'groupEnd',
  'info',
  'log',
  'table',
  'time',
  'timeEnd',
  'timeLog',
  'trace',
  'warn',
] as const;

/** The namespace object `console`: Node's formatting, and nothing of Node's Console but the methods. */
export function createConsoleNamespace(): object {
  const node = createConsole();
  const namespace = Object.create(Object.create(Object.prototype) as object) as object;
  for (const name of METHODS) {
    const print: unknown = Reflect.get(node, name);
    if (typeof print !== 'function') throw new Error(`This Node.js has no console.${name}`);
    const holder = {
      [name](...args: unknown[]): void {
        Reflect.apply(print, node, args);
      },
    };
    Object.defineProperty(namespace, name, {
      value: holder[name],
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  Object.defineProperty(namespace, Symbol.toStringTag, { value: 'console', configurable: true });
  return namespace;
}
