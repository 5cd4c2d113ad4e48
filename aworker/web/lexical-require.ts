import { type Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import vm from 'node:vm';

const WRAPPER = ['exports', 'require', 'module', '__filename', '__dirname'];

interface Loaded {
  exports: unknown;
}

/**
 * Loads CommonJS packages whose code needs Node's globals, by giving them as variables of each module's scope: the global scope is the worker's and has
 * none of them.
 */
export class LexicalRequire {
  readonly #names: readonly string[];
  readonly #values: readonly unknown[];
  readonly #replaced: ReadonlyMap<string, unknown>;
  readonly #loaded = new Map<string, Loaded>();

  /**
   * @param scope variables that the modules find
   * @param replaced modules to give instead of Node's, by name
   */
  constructor(scope: Readonly<Record<string, unknown>>, replaced: ReadonlyMap<string, unknown> = new Map()) {
    this.#names = Object.keys(scope);
    this.#values = Object.values(scope);
    this.#replaced = replaced;
  }

  /**
   * Reads the CommonJS module at `file`, an absolute path, now.
   *
   * @returns loads it, once, also where the file has gone out of reach
   */
  keep(file: string): () => unknown {
    const source = readFileSync(file);
    return () => this.load(file, source);
  }

  /** What the CommonJS module at `file`, an absolute path, exports. */
  load(file: string, source?: Buffer): unknown {
    const known = this.#loaded.get(file);
    if (known !== undefined) return known.exports;
    const module: Loaded = { exports: {} };
    this.#loaded.set(file, module);
    // In a block of their own, declarations of the module may repeat names of the scope.
    const evaluate = vm.compileFunction(
      `{${(source ?? readFileSync(file)).toString('utf8')}\n}`,
      [...WRAPPER, ...this.#names],
      {
        filename: file,
      },
    );
    const own = createRequire(file);
    const require = (name: string): unknown => {
      if (name.startsWith('.')) return this.load(own.resolve(name));
      return this.#replaced.has(name) ? this.#replaced.get(name) : own(name);
    };
    Reflect.apply(evaluate, module.exports, [
      module.exports,
      require,
      module,
      file,
      dirname(file),
      ...this.#values,
    ]);
    return module.exports;
  }
}
