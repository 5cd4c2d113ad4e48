/**
 * The flags that the worker runtime needs from `node` (20, 22, 24 and 26 know them all):
 *
 * - `--single-threaded`, `--v8-pool-size=0`: only the calling thread exists in a clone, so no other may hold a lock or work
 * - `--experimental-vm-modules`: user code is loaded as modules through a linker of the runtime's own
 * - `--expose-internals`: the runtime closes Node's own module loader (aworker/engine/engine-internals.ts)
 * - `--no-flush-bytecode`: a garbage collection in the seed must not throw away the compiled request path
 * - `--no-warnings`: warnings about the above are not the user's
 */
export const AWORKER_NODE_FLAGS: readonly string[] = [
  '--single-threaded',
  '--v8-pool-size=0',
  '--experimental-vm-modules',
  '--expose-internals',
  '--no-flush-bytecode',
  '--no-memory-reducer',
  '--no-warnings',
];

/** Those of them that a worker needs which is never cloned: its engine may use threads. `aworker/main.ts` has them in its first line, too. */
export const LONE_NODE_FLAGS: readonly string[] = [
  '--experimental-vm-modules',
  '--expose-internals',
  '--no-warnings',
];

const MIB = 1024 * 1024;

function heapFlags(heapBytes: number): readonly string[] {
  return heapBytes === 0 ? [] : [`--max-old-space-size=${Math.ceil(heapBytes / MIB)}`];
}

/** The flags with a bound for JavaScript's heap, in bytes; none or 0: the engine's own. */
export function aworkerNodeFlags(heapBytes = 0): readonly string[] {
  return [...AWORKER_NODE_FLAGS, ...heapFlags(heapBytes)];
}

/** The same for a worker that is never cloned. */
export function loneNodeFlags(heapBytes = 0): readonly string[] {
  return [...LONE_NODE_FLAGS, ...heapFlags(heapBytes)];
}
