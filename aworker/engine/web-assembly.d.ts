/** What the runtime uses of WebAssembly, which is in no `lib` without the DOM's. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  function compile(bytes: ArrayBuffer): Promise<Module>;
  function instantiate(bytes: ArrayBuffer, imports?: object): Promise<unknown>;
}
