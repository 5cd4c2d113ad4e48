import { Response } from './fetch-family.js';

/** "Compile a potential WebAssembly response" (WebAssembly Web API, 4): its bytes. */
async function bytesOf(source: unknown): Promise<ArrayBuffer> {
  const response: unknown = await source;
  if (!(response instanceof Response)) throw new TypeError('WebAssembly: the source is not a Response');
  const type = (response.headers.get('content-type') ?? '').trim().toLowerCase();
  if (type !== 'application/wasm')
    throw new TypeError(`WebAssembly: the response has the type "${type}" and not application/wasm`);
  if (!response.ok) throw new TypeError(`WebAssembly: the response has the status ${response.status}`);
  return response.arrayBuffer();
}

/** Node's own take Responses of Node's own fetch only. */
export function installWasmStreaming(): void {
  const { compile, instantiate } = WebAssembly;
  const methods = {
    async compileStreaming(source: unknown): Promise<unknown> {
      return compile(await bytesOf(source));
    },
    async instantiateStreaming(source: unknown, imports?: unknown): Promise<unknown> {
      return instantiate(await bytesOf(source), imports as object);
    },
  };
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(value, 'length', { value: 1, configurable: true });
    Object.defineProperty(WebAssembly, name, { value, writable: true, enumerable: true, configurable: true });
  }
}
