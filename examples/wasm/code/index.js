/** A module of WebAssembly is compiled where it is imported: in the seed, for all workers. */
import checksum from './checksum.wasm';

const { memory, fnv1a } = /** @type {{ memory: WebAssembly.Memory, fnv1a(length: number): number }} */ (
  /** @type {unknown} */ (new WebAssembly.Instance(checksum).exports)
);

/** @param {Uint8Array} bytes */
function hash(bytes) {
  const missing = bytes.length - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65_536));
  new Uint8Array(memory.buffer).set(bytes);
  return (fnv1a(bytes.length) >>> 0).toString(16).padStart(8, '0');
}

/** @type {ExportedHandler} */
export default {
  async fetch(request) {
    if (request.body === null)
      return new Response('POST something\n', { status: 405, headers: { allow: 'POST' } });
    return new Response(`${hash(await request.bytes())}\n`);
  },
};
