import { Buffer } from 'node:buffer';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { errnoNames } from './errno.js';
import { KernelError } from './kernel.js';

const LIBRARY = '../native/libturf-watchdog.so';

type Start = (milliseconds: number, report: Buffer) => number;

/** What ends a process that does not come back to its event loop: native-shim/watchdog/watchdog.c. */
export interface Watchdog {
  /**
   * Watches from now on, once in the life of a process.
   *
   * @param milliseconds of CPU time that one turn of the event loop may take; up to a quarter more is possible
   * @param report what is written to stderr at the end: text up to the first NUL, to be changed in place
   * @throws KernelError where the kernel has no such timer
   */
  start(milliseconds: number, report: Buffer): void;
}

/** Loads the add-on; a seed does so ahead of its clones, which cannot reach the file. @throws Error if it cannot be loaded */
export function loadWatchdog(): Watchdog {
  const module: { exports: unknown } = { exports: {} };
  // Found only now: in a startup snapshot its place would be that of the engine that built it.
  process.dlopen(module, fileURLToPath(new URL(LIBRARY, import.meta.url)));
  const start = module.exports as Start;
  return {
    start(milliseconds, report) {
      const result = start(milliseconds, report);
      if (result < 0) throw new KernelError('watch the event loop', -result, ...errnoNames(-result));
    },
  };
}
