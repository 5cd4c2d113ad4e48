import process from 'node:process';
import { fileURLToPath } from 'node:url';

const LIBRARY = '../native/libturf-confine.so';

/**
 * Installs the system call filter that waits at its descriptor, in every thread of this process (native-shim/confine/confine.c). An add-on
 * and not FFI: binding a library by FFI takes longer than the rest of a worker's start.
 *
 * A process in which that fails ends with status 1.
 *
 * @throws Error where the library cannot be loaded
 */
export function confine(): void {
  // Found only now: in a startup snapshot its place would be that of the engine that built it.
  process.dlopen({ exports: {} }, fileURLToPath(new URL(LIBRARY, import.meta.url)));
}
