import { isCallable } from './interface.js';

/** One of Node's listeners (lib/internal/event_target.js). */
interface Listener {
  readonly next?: Listener;
  readonly passive?: boolean;
  callback: unknown;
}

let inPassive = false;

function isPassive(type: string, target: EventTarget): boolean {
  const event = new Event(type, { cancelable: true });
  target.addEventListener(type, (event) => event.preventDefault(), { passive: true });
  target.dispatchEvent(event);
  return !event.defaultPrevented;
}

/**
 * DOM, 2.7: a listener that is `passive` cannot cancel the event; Node.js 20 lets it.
 *
 * @returns to be called for a target that has got a listener, with the options it was given; undefined where the engine does as specified
 */
export function correctPassiveListeners(): ((target: EventTarget, options: unknown) => void) | undefined {
  const probe = new EventTarget();
  if (isPassive('probe', probe)) return undefined;
  const slot = Object.getOwnPropertySymbols(probe).find((symbol) => symbol.description === 'kEvents');
  if (slot === undefined) throw new Error('This Node.js keeps listeners elsewhere');
  const { preventDefault } = Event.prototype;
  const own = {
    preventDefault(this: unknown): void {
      if (!inPassive) Reflect.apply(preventDefault, this, []);
    },
  };
  Object.defineProperty(Event.prototype, 'preventDefault', {
    value: own.preventDefault,
    writable: true,
    enumerable: true,
    configurable: true,
  });
  const seen = new WeakSet<Listener>();
  return (target, options) => {
    if (typeof options !== 'object' || options === null || !('passive' in options)) return;
    const lists = Reflect.get(target, slot) as ReadonlyMap<string, { readonly next?: Listener }>;
    for (const { next } of lists.values()) {
      for (let at = next; at !== undefined; at = at.next) {
        const { callback } = at;
        if (at.passive !== true || seen.has(at) || !isCallable(callback)) continue;
        seen.add(at);
        at.callback = function (this: unknown, event: unknown): unknown {
          const before = inPassive;
          inPassive = true;
          try {
            return Reflect.apply(callback, this, [event]);
          } finally {
            inPassive = before;
          }
        };
      }
    }
  };
}
