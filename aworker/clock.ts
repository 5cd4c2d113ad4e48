import { performance } from 'node:perf_hooks';

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

/** Makes performance.now, performance.timeOrigin and Event.timeStamp count from an origin that `restartClock` can move. */
export function installClock(): void {
  const methods = { now: (): number => nativeNow() - nativeStart };
  Object.defineProperty(holderOf(performance, 'now'), 'now', {
    value: methods.now,
    writable: true,
    enumerable: true,
    configurable: true,
  });
  Object.defineProperty(holderOf(performance, 'timeOrigin'), 'timeOrigin', {
    get: () => origin,
    enumerable: true,
    configurable: true,
  });
  const stamp: { readonly get?: unknown } =
    Object.getOwnPropertyDescriptor(Event.prototype, 'timeStamp') ?? {};
  const read = stamp.get;
  if (typeof read !== 'function') return;
  Object.defineProperty(Event.prototype, 'timeStamp', {
    get(this: Event): number {
      return Number(Reflect.apply(read, this, [])) - nativeStart;
    },
    enumerable: true,
    configurable: true,
  });
}

/** The time origin of a clone is the moment of its birth (High Resolution Time, section 3). */
export function restartClock(): void {
  nativeStart = nativeNow();
  origin = Date.now();
}
