import { AsyncLocalStorage } from 'node:async_hooks';
import vm from 'node:vm';

/** What a worker may import by name: of Node.js, AsyncLocalStorage alone, as other worker platforms have it. */
const BUILTIN: ReadonlyMap<string, Readonly<Record<string, unknown>>> = new Map([
  ['node:async_hooks', { AsyncLocalStorage, default: Object.freeze({ AsyncLocalStorage }) }],
]);

/** A module whose exports are those values. */
export function valueModule(identifier: string, exports: Readonly<Record<string, unknown>>): vm.Module {
  return new vm.SyntheticModule(
    Object.keys(exports),
    function (this: vm.SyntheticModule) {
      for (const [name, value] of Object.entries(exports)) this.setExport(name, value);
    },
    { identifier },
  );
}

/** The module of that name; undefined: there is none. */
export function builtinModule(name: string): vm.Module | undefined {
  const exports = BUILTIN.get(name);
  return exports === undefined ? undefined : valueModule(name, exports);
}
