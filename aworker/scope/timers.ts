/** Timers of the Web (HTML, 8.6): handles are numbers, counted from 1. */
import { clearTimeout, setInterval, setTimeout } from 'node:timers';
import { isCallable, requireArguments, toDomString } from '../web/interface.js';

const timers = new Map<number, NodeJS.Timeout>();
let last = 0;

/** Web IDL's `long`. */
function toLong(value: unknown): number {
  return Number(value) | 0;
}

/** What a timer runs: a function with its arguments, or the source of a script. */
function task(name: string, args: readonly unknown[]): { run: () => void; delay: number } {
  requireArguments(name, 1, args.length);
  const [handler, delay, ...rest] = args;
  const milliseconds = Math.max(0, toLong(delay));
  if (isCallable(handler))
    return { run: () => void Reflect.apply(handler, globalThis, rest), delay: milliseconds };
  const source = toDomString(handler);
  return { run: () => void (0, eval)(source), delay: milliseconds };
}

function clear(handle: unknown): void {
  const number = toLong(handle);
  const timer = timers.get(number);
  if (timer === undefined) return;
  timers.delete(number);
  clearTimeout(timer);
}

/** The four functions, to be defined on the global scope. */
export const timerFunctions = {
  setTimeout(...args: unknown[]): number {
    const { run, delay } = task('setTimeout', args);
    const handle = ++last;
    timers.set(
      handle,
      setTimeout(() => {
        timers.delete(handle);
        run();
      }, delay),
    );
    return handle;
  },
  setInterval(...args: unknown[]): number {
    const { run, delay } = task('setInterval', args);
    const handle = ++last;
    timers.set(handle, setInterval(run, delay));
    return handle;
  },
  clearTimeout(...[handle]: unknown[]): void {
    clear(handle);
  },
  clearInterval(...[handle]: unknown[]): void {
    clear(handle);
  },
};
for (const name of ['setTimeout', 'setInterval'] as const)
  Object.defineProperty(timerFunctions[name], 'length', { value: 1, configurable: true });
