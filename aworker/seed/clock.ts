import { performance } from 'node:perf_hooks';
import { illegalInvocation, isCallable } from '../web/interface.js';

const nativeNow = performance.now.bind(performance);
let nativeStart = 0;
let origin = performance.timeOrigin;

/** The object of the prototype chain that holds `name`. */
function holderOf(object: object, name: string): object {
  for (let at: unknown = object; typeof at === 'object' && at !== null; at = Object.getPrototypeOf(at)) {
    if (Object.getOwnPropertyDescriptor(at, name) !== undefined) return at;
  }
  return object;
}

function requirePerformance(value: unknown): void {
  if (value !== performance) illegalInvocation();
}

/** Makes performance.now, performance.timeOrigin and Event.timeStamp count from an origin that `restartClock` can move. */
export function installClock(): void {
  const members = {
    now(): number {
      requirePerformance(this);
      return nativeNow() - nativeStart;
    },
    get timeOrigin(): number {
      requirePerformance(this);
      return origin;
    },
    toJSON(): object {
      requirePerformance(this);
      return { timeOrigin: origin };
    },
  };
  for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(members)))
    Object.defineProperty(holderOf(performance, name), name, member);
  const { get: read } = Object.getOwnPropertyDescriptor(Event.prototype, 'timeStamp') ?? {};
  if (!isCallable(read)) return;
  const stamp = {
    get timeStamp(): number {
      return Number(Reflect.apply(read, this, [])) - nativeStart;
    },
  };
  Object.defineProperty(Event.prototype, 'timeStamp', {
    ...Object.getOwnPropertyDescriptor(stamp, 'timeStamp'),
    enumerable: true,
    configurable: true,
  });
}

/** The time origin of a clone is the moment of its birth (High Resolution Time, section 3). */
export function restartClock(): void {
  nativeStart = nativeNow();
  origin = Date.now();
}
