import {
  addEventListener,
  dispatchEvent,
  listenOnGlobalObject,
  removeEventListener,
} from '../scope/scope-events.js';
import { requireArguments } from './interface.js';

type Method = (this: unknown, ...args: never[]) => unknown;

/** Makes a method take the global object where it is called on nothing, and its own way there. */
function route(
  name: 'addEventListener' | 'removeEventListener' | 'dispatchEvent',
  required: number,
  own: Method,
): void {
  const native: unknown = EventTarget.prototype[name];
  if (typeof native !== 'function') return;
  const holder = {
    [name](this: unknown, ...args: unknown[]): unknown {
      requireArguments(`EventTarget.${name}`, required, args.length);
      if (this === undefined || this === null || this === globalThis)
        return Reflect.apply(own, undefined, args);
      return Reflect.apply(native, this, args);
    },
  };
  Object.defineProperty(holder[name], 'length', { value: required, configurable: true });
  Object.defineProperty(EventTarget.prototype, name, {
    value: holder[name],
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

/** The methods of EventTarget for the global object too, whose listeners are the runtime's to call. */
export function installEventTarget(): void {
  listenOnGlobalObject();
  route('addEventListener', 2, addEventListener);
  route('removeEventListener', 2, removeEventListener);
  route('dispatchEvent', 1, dispatchEvent);
}
