import process from 'node:process';
import { fileURLToPath } from 'node:url';

const LIBRARY = fileURLToPath(new URL('../native/libturf-confine.so', import.meta.url));

/**
 * Installs the system call filter that waits at its descriptor, in every thread of this process (native-shim/confine/confine.c). An add-on
 * and not FFI: binding a library by FFI takes longer than the rest of a worker's start.
 *
 * A process in which that fails ends with status 1.
 *
 * @param library where libturf-confine.so lies; default: where the build puts it
 * @throws Error where the library cannot be loaded
 */
export function confine(library: string = LIBRARY): void {
  process.dlopen({ exports: {} }, library);
}
