import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import vm from 'node:vm';
import { hideThen } from '../engine/hide-then.js';

/** What every worker may import by name: of Node.js, AsyncLocalStorage alone, as other worker platforms have it. */
const BUILTIN: ReadonlyMap<string, Readonly<Record<string, unknown>>> = new Map([
  ['node:async_hooks', { AsyncLocalStorage, default: Object.freeze({ AsyncLocalStorage }) }],
]);

/** A module whose exports are those values. */
export function valueModule(identifier: string, exports: Readonly<Record<string, unknown>>): vm.Module {
  return hideThen(
    new vm.SyntheticModule(
      Object.keys(exports),
      function (this: vm.SyntheticModule) {
        for (const [name, value] of Object.entries(exports)) this.setExport(name, value);
      },
      { identifier },
    ),
  );
}

const require = createRequire(import.meta.url);

/** The exports of a module of Node.js, under their names and as the default export. */
function nodeModule(name: string): vm.Module {
  const exports: unknown = require(name);
  const named = typeof exports === 'object' || typeof exports === 'function' ? { ...exports } : {};
  return valueModule(name, { ...named, default: exports });
}

/**
 * The module of that name; undefined: there is none.
 *
 * @param allowed modules of Node.js that the bundle lists, `node:NAME`
 */
export function builtinModule(name: string, allowed: readonly string[]): vm.Module | undefined {
  if (allowed.includes(name)) return nodeModule(name);
  const exports = BUILTIN.get(name);
  return exports === undefined ? undefined : valueModule(name, exports);
}
