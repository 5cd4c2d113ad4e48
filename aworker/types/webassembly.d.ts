/** WebAssembly JavaScript Interface; WebAssembly Web API. */

declare namespace WebAssembly {
  type ImportExportKind = 'function' | 'global' | 'memory' | 'table' | 'tag';
  type TableKind = 'anyfunc' | 'externref';
  type ValueType = 'anyfunc' | 'externref' | 'f32' | 'f64' | 'i32' | 'i64' | 'v128';
  type ExportValue = ((...args: never[]) => unknown) | Global | Memory | Table | Tag;
  type Exports = Record<string, ExportValue>;
  type ImportValue = ExportValue | number | bigint;
  type Imports = Record<string, Record<string, ImportValue>>;

  interface ModuleExportDescriptor {
    name: string;
    kind: ImportExportKind;
  }
  interface ModuleImportDescriptor extends ModuleExportDescriptor {
    module: string;
  }
  interface WebAssemblyInstantiatedSource {
    module: Module;
    instance: Instance;
  }

  type Module = object & { readonly [Symbol.toStringTag]: 'WebAssembly.Module' };
  var Module: {
    prototype: Module;
    new (bytes: BufferSource): Module;
    customSections(module: Module, name: string): ArrayBuffer[];
    exports(module: Module): ModuleExportDescriptor[];
    imports(module: Module): ModuleImportDescriptor[];
  };

  interface Instance {
    readonly exports: Exports;
  }
  var Instance: {
    prototype: Instance;
    new (module: Module, imports?: Imports): Instance;
  };

  interface MemoryDescriptor {
    initial: number;
    maximum?: number;
    shared?: boolean;
  }
  interface Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  var Memory: {
    prototype: Memory;
    new (descriptor: MemoryDescriptor): Memory;
  };

  interface TableDescriptor {
    element: TableKind;
    initial: number;
    maximum?: number;
  }
  interface Table {
    readonly length: number;
    get(index: number): unknown;
    grow(entries: number, value?: unknown): number;
    set(index: number, value?: unknown): void;
  }
  var Table: {
    prototype: Table;
    new (descriptor: TableDescriptor, value?: unknown): Table;
  };

  interface GlobalDescriptor {
    value: ValueType;
    mutable?: boolean;
  }
  interface Global {
    value: unknown;
    valueOf(): unknown;
  }
  var Global: {
    prototype: Global;
    new (descriptor: GlobalDescriptor, value?: unknown): Global;
  };

  interface TagDescriptor {
    parameters: ValueType[];
  }
  type Tag = object & { readonly [Symbol.toStringTag]: 'WebAssembly.Tag' };
  var Tag: {
    prototype: Tag;
    new (descriptor: TagDescriptor): Tag;
  };

  interface Exception {
    readonly stack: string | undefined;
    getArg(tag: Tag, index: number): unknown;
    is(tag: Tag): boolean;
  }
  var Exception: {
    prototype: Exception;
    new (tag: Tag, payload: unknown[], options?: { traceStack?: boolean }): Exception;
  };

  interface ErrorConstructor<T extends Error> {
    prototype: T;
    new (message?: string, options?: ErrorOptions): T;
    (message?: string, options?: ErrorOptions): T;
  }
  interface CompileError extends Error {
    name: string;
  }
  var CompileError: ErrorConstructor<CompileError>;
  interface LinkError extends Error {
    name: string;
  }
  var LinkError: ErrorConstructor<LinkError>;
  interface RuntimeError extends Error {
    name: string;
  }
  var RuntimeError: ErrorConstructor<RuntimeError>;

  function compile(bytes: BufferSource): Promise<Module>;
  function compileStreaming(source: Response | PromiseLike<Response>): Promise<Module>;
  function instantiate(module: Module, imports?: Imports): Promise<Instance>;
  function instantiate(bytes: BufferSource, imports?: Imports): Promise<WebAssemblyInstantiatedSource>;
  function instantiateStreaming(
    source: Response | PromiseLike<Response>,
    imports?: Imports,
  ): Promise<WebAssemblyInstantiatedSource>;
  function validate(bytes: BufferSource): boolean;
}
