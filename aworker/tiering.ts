import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8 from optimising until user code is about to run. A single-threaded engine compiles at once: what warming had made nearly hot
 * enough would be compiled by every clone again, before its first answer. Code that is optimised already stays so.
 */
export function pauseOptimizing(): void {
  setFlagsFromString('--no-opt');
}

/** Lets V8 optimise from now on. */
export function resumeOptimizing(): void {
  setFlagsFromString('--opt');
}
