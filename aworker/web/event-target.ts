import {
  addEventListener,
  dispatchEvent,
  listenOnGlobalObject,
  type ListenerOptions,
  removeEventListener,
} from '../scope/scope-events.js';
import { requireArguments } from './interface.js';
import { correctPassiveListeners } from './passive-listeners.js';

type Method = (this: unknown, ...args: never[]) => unknown;

/** Makes a method take the global object where it is called on nothing, and its own way there. */
function route(
  name: 'addEventListener' | 'removeEventListener' | 'dispatchEvent',
  required: number,
  own: Method,
  after?: (target: EventTarget, options: unknown) => void,
): void {
  const native: unknown = EventTarget.prototype[name];
  if (typeof native !== 'function') return;
  const holder = {
    [name](this: unknown, ...args: unknown[]): unknown {
      requireArguments(`EventTarget.${name}`, required, args.length);
      if (this === undefined || this === null || this === globalThis)
        return Reflect.apply(own, undefined, args);
      const result: unknown = Reflect.apply(native, this, args);
      after?.(this as EventTarget, args[2]);
      return result;
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
  const follow = correctPassiveListeners();
  route(
    'addEventListener',
    2,
    (type: string, listener: unknown, options?: ListenerOptions) => {
      addEventListener(type, listener, options);
      follow?.(globalThis as unknown as EventTarget, options);
    },
    follow,
  );
  route('removeEventListener', 2, removeEventListener);
  route('dispatchEvent', 1, dispatchEvent);
}
