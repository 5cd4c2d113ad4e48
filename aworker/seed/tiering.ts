import process from 'node:process';
import { setFlagsFromString } from 'node:v8';

/** Node.js 20's engine counts ticks; later ones count invocations, and would print an error. */
const COUNTS_TICKS = Number.parseInt(process.versions.v8, 10) < 12;
const HOTTER = COUNTS_TICKS ? ' --ticks-before-optimization=10 --max-bytecode-size-for-early-opt=0' : '';

/**
 * Keeps V8 from optimising until user code is about to run. A single-threaded engine compiles at once: what warming had made nearly hot
 * enough would be compiled by every clone again, before its first answer. Code that is optimised already stays so.
 *
 * From then on a function must be hotter than by default (3 ticks, or one where it is small): what is just below in the seed would be above with
 * the first request of every clone.
 */
export function pauseOptimizing(): void {
  setFlagsFromString(`--no-opt${HOTTER}`);
}

/** Lets V8 optimise from now on. */
export function resumeOptimizing(): void {
  setFlagsFromString('--opt');
}

/**
 * Has `load` compile all of what it loads, not only what it runs: each clone would compile a function anew that first runs in it.
 */
export async function compilingEagerly(load: () => Promise<void>): Promise<void> {
  setFlagsFromString('--no-lazy');
  try {
    await load();
  } finally {
    setFlagsFromString('--lazy');
  }
}
