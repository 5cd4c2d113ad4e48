import { readFileSync, realpathSync } from 'node:fs';
import { sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type ImportAttributes } from 'node:module';
import vm from 'node:vm';
import { builtinModule, valueModule } from './builtin-modules.js';
import { hideThen } from '../engine/hide-then.js';
import { OwnMap } from '../engine/own-map.js';
import { showPlace } from '../engine/engine-internals.js';

/** A line that only a module can begin with. */
const MODULE_LINE = /^\s*(?:import\b(?!\s*\()|export\b)/m;

/** Without the line of the source, which Node.js would write into the error's stack. */
const PLAIN_ERRORS = { displayErrors: false };

/**
 * Loads user code as modules of the main realm. A module may import files of the code directory by relative path or file URL,
 * JSON, text and bytes by an attribute `type`, WebAssembly, and by name AsyncLocalStorage and what its bundle lists of Node.js; nothing else exists for it.
 */
export class ModuleLoader {
  readonly #root: string;
  readonly #nodeModules: readonly string[];
  readonly #seen: ((path: string) => void) | undefined;
  readonly #modules = new OwnMap<string, vm.Module>();
  readonly #evaluations = new OwnMap<vm.Module, Promise<void>>();
  /** The main script is no module. */
  #classic = false;
  #linking: Promise<void> = Promise.resolve();

  /**
   * @param root the code directory; it must exist
   * @param nodeModules what may be imported of Node.js: `node:NAME`
   * @param seen is told every file that is imported, also one that is not there
   */
  constructor(root: string, nodeModules: readonly string[], seen?: (path: string) => void) {
    this.#root = realpathSync(root);
    this.#nodeModules = nodeModules;
    this.#seen = seen;
  }

  /**
   * Runs the script at `path`: as a module with everything it imports, or, if nothing in it makes it one (import, export, top-level await), as a
   * classic script (HTML, 8.1.4.4), whose variables are global.
   *
   * @returns the module's namespace
   * @throws what the code throws; SyntaxError; TypeError for an import that is not allowed or not found
   */
  async import(path: string): Promise<object> {
    const script = this.#classicScript(this.#locate(pathToFileURL(path), path));
    if (script === undefined) return this.#run(this.#load(pathToFileURL(path), undefined, path));
    this.#classic = true;
    script.runInThisContext(PLAIN_ERRORS);
    return {};
  }

  /**
   * WorkerGlobalScope.importScripts (HTML, 10.3.1): runs classic scripts, one after the other.
   *
   * @param base URL that relative ones begin from
   * @throws TypeError in a module; DOMException NetworkError, SyntaxError for what is no address; what the scripts throw
   */
  importScripts(base: string, urls: readonly string[]): void {
    if (!this.#classic) throw new TypeError('importScripts: a module imports with import');
    const resolved = urls.map((url) => {
      if (URL.canParse(url, base)) return new URL(url, base);
      throw new DOMException(`importScripts: not an address: ${url}`, 'SyntaxError');
    });
    for (const url of resolved) {
      let path: string;
      try {
        path = this.#locate(url, url.href);
      } catch (error) {
        throw new DOMException(error instanceof Error ? error.message : String(error), 'NetworkError');
      }
      this.#compileScript(path, readFileSync(path, 'utf8')).runInThisContext(PLAIN_ERRORS);
    }
  }

  #classicScript(path: string): vm.Script | undefined {
    const text = readFileSync(path, 'utf8');
    if (MODULE_LINE.test(text)) return undefined;
    try {
      return this.#compileScript(path, text);
    } catch (error) {
      // As a module it may be right; if not, that is the error to show.
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  #compileScript(path: string, text: string): vm.Script {
    const filename = pathToFileURL(path).href;
    return new vm.Script(text, { filename, importModuleDynamically: this.#dynamicImport(filename) });
  }

  /** What `import()` does in the code of that address. */
  #dynamicImport(
    identifier: string,
  ): (specifier: string, referrer: unknown, attributes: ImportAttributes) => Promise<vm.Module> {
    return async (specifier, _referrer, attributes) => {
      const module = this.#resolve(specifier, identifier, attributes);
      await this.#run(module);
      return module;
    };
  }

  async #run(module: vm.Module): Promise<object> {
    await this.#link(module);
    const running = this.#evaluations.get(module);
    if (running !== undefined) await running;
    else if (module.status === 'evaluating') await Promise.allSettled(this.#evaluations.values());
    else {
      const evaluation = module.evaluate();
      this.#evaluations.set(module, evaluation);
      await evaluation;
    }
    return module.namespace;
  }

  /** One graph at a time: two imports may share modules, and a module can be linked only once. */
  async #link(module: vm.Module): Promise<void> {
    const link = this.#linking.then(async () => {
      if (module.status !== 'unlinked') return;
      try {
        await module.link((specifier, referrer, extra) =>
          this.#resolve(specifier, referrer.identifier, extra.attributes),
        );
      } catch (error) {
        if (error instanceof SyntaxError) showPlace(error);
        throw error;
      }
    });
    this.#linking = link.catch(() => undefined);
    await link;
  }

  #resolve(specifier: string, referrer: string, attributes: object | undefined): vm.Module {
    const known = this.#modules.get(specifier) ?? builtinModule(specifier, this.#nodeModules);
    if (known !== undefined) {
      this.#modules.set(specifier, known);
      return known;
    }
    if (!/^(\.{0,2}\/|file:)/.test(specifier)) {
      throw new TypeError(
        `Cannot import "${specifier}" from ${referrer}: a worker imports files of its code directory only, by relative path`,
      );
    }
    return this.#load(new URL(specifier, referrer), typeOf(attributes), specifier);
  }

  #load(url: URL, type: string | undefined, specifier: string): vm.Module {
    const path = this.#locate(url, specifier);
    const key = type === undefined ? path : `${type} ${path}`;
    const known = this.#modules.get(key);
    if (known !== undefined) return known;
    if (path.endsWith('.json') && type === undefined) {
      throw new TypeError(`Cannot import "${specifier}": a JSON file is imported with { type: 'json' }`);
    }
    const module = this.#make(path, type, specifier);
    this.#modules.set(key, module);
    return module;
  }

  #make(path: string, type: string | undefined, specifier: string): vm.Module {
    const whole = (value: unknown): vm.Module => valueModule(pathToFileURL(path).href, { default: value });
    switch (type) {
      case 'json':
        return whole(JSON.parse(readFileSync(path, 'utf8')));
      case 'text':
        return whole(readFileSync(path, 'utf8'));
      case 'bytes':
        return whole(new Uint8Array(readFileSync(path)));
      case undefined:
        // As on other worker platforms, a program imports what was compiled and instantiates it itself.
        if (path.endsWith('.wasm')) return whole(new WebAssembly.Module(new Uint8Array(readFileSync(path))));
        return this.#sourceModule(path, readFileSync(path, 'utf8'));
      default:
        throw new TypeError(`Cannot import "${specifier}": no module has the type "${type}"`);
    }
  }

  /** The file's real path, which must lie in the code directory: a symbolic link must not lead out of it. */
  #locate(url: URL, specifier: string): string {
    let path: string;
    try {
      path = realpathSync(fileURLToPath(url));
      this.#seen?.(path);
    } catch {
      this.#seen?.(fileURLToPath(url));
      throw new TypeError(`Cannot find module "${specifier}" (${url.href})`);
    }
    if (!path.startsWith(this.#root === sep ? sep : this.#root + sep)) {
      throw new TypeError(`Cannot import "${specifier}": it is outside the code directory`);
    }
    return path;
  }

  #sourceModule(path: string, text: string): vm.Module {
    const identifier = pathToFileURL(path).href;
    return compile(text, {
      identifier,
      initializeImportMeta(meta) {
        meta.url = identifier;
      },
      importModuleDynamically: this.#dynamicImport(identifier),
    });
  }
}

/** The stack of a SyntaxError names no place: V8 has it, with the line and a mark, beside the error. */
function compile(text: string, options: vm.SourceTextModuleOptions): vm.Module {
  try {
    return hideThen(new vm.SourceTextModule(text, options));
  } catch (error) {
    if (error instanceof SyntaxError) showPlace(error);
    throw error;
  }
}

function typeOf(attributes: object | undefined): string | undefined {
  return attributes !== undefined && 'type' in attributes ? String(attributes.type) : undefined;
}
