/**
 * Stand-ins for modules of Node.js that cannot be part of a startup snapshot: the native objects of node:http are not serialisable, and node:http2 and
 * node:tls load it.
 */
import { createRequire } from 'node:module';
import { startupSnapshot } from 'node:v8';

/** Node's own, in bytes (--max-http-header-size). */
const DEFAULT_MAX_HEADER_SIZE = 16_384;

type Exports = Readonly<Record<string, unknown>>;

/** An export of a module, which is loaded when something is done with it: called, constructed, tested for an instance, read from. */
function lateExport(load: () => Exports, name: string | symbol): unknown {
  const value = (): object => {
    const found: unknown = Reflect.get(load(), name);
    if (typeof found === 'function' || (typeof found === 'object' && found !== null)) return found;
    throw new TypeError(`${String(name)} has no members`);
  };
  return new Proxy(function late() {}, {
    get: (_target, key) => Reflect.get(value(), key) as unknown,
    has: (_target, key) => Reflect.has(value(), key),
    apply: (_target, self, args) =>
      Reflect.apply<unknown, unknown[], unknown>(value() as (...given: unknown[]) => unknown, self, args),
    construct: (_target, args) => Reflect.construct(value() as new () => object, args) as object,
  });
}

/** By name, where this engine builds a snapshot; none in any other. */
export function lateBuiltins(): [string, unknown][] {
  if (!startupSnapshot.isBuildingSnapshot()) return [];
  const require = createRequire(import.meta.url);
  const load = (): Exports => require('node:http') as Exports;
  let started = false;
  startupSnapshot.addDeserializeCallback(() => {
    started = true;
  });
  const get = (name: string | symbol): unknown => {
    if (started) return Reflect.get(load(), name);
    // undici looks whether it is a number as it loads, and asks for it again with each connection.
    return name === 'maxHeaderSize' ? DEFAULT_MAX_HEADER_SIZE : lateExport(load, name);
  };
  const http = new Proxy({}, { get: (_target, name) => get(name) });
  // undici does without HTTP/2, which it only speaks where it is told to.
  return [
    ['node:http', http],
    ['node:http2', { constants: {} }],
  ];
}
