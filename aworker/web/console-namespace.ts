import { createConsole } from '../engine/standard-output.js';

/** User code may replace Reflect.apply, and would be handed Node's Console. */
const { apply } = Reflect;

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
        apply(print, node, args);
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
