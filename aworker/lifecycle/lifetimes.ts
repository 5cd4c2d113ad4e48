import { describe } from './fatal.js';
import { writeText } from '../engine/standard-output.js';

/** Work that outlives the event which started it: a worker that is told to end waits for it. */
const pending = new Set<Promise<unknown>>();

/** Takes a promise given to waitUntil. Its rejection is printed: nobody else sees it. */
export function extendLifetime(promise: unknown): void {
  const work: Promise<unknown> = Promise.resolve(promise).then(
    () => pending.delete(work),
    (error: unknown) => {
      pending.delete(work);
      writeText(2, `Uncaught (in waitUntil) ${describe(error)}\n`);
    },
  );
  pending.add(work);
}

/** How many such promises have not settled. */
export function lifetimes(): number {
  return pending.size;
}

/** Resolves once none is left, also of those that come meanwhile. */
export async function lifetimesSettled(): Promise<void> {
  while (pending.size > 0) await Promise.all(pending);
}
