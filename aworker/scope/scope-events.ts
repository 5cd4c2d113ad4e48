/**
 * Listeners on the global scope. A real EventTarget dispatches, but each listener is wrapped, so that an exception belongs to
 * the event that was raised (a fetch answers 500) instead of ending the worker a tick later.
 */

import { becomeEventTarget } from '../engine/engine-internals.js';

type Callback = (this: unknown, event: Event) => unknown;
interface CallbackObject {
  handleEvent(event: Event): unknown;
}
export type Listener = Callback | CallbackObject;
export type ListenerOptions = Parameters<EventTarget['addEventListener']>[2];

type Target = Pick<EventTarget, 'addEventListener' | 'removeEventListener' | 'dispatchEvent'>;

const { addEventListener: add, removeEventListener: remove, dispatchEvent: dispatch } = EventTarget.prototype;
let target: Target = new EventTarget();

/** The global object has become an EventTarget: it is the target from now on, by the methods that EventTarget has of its own. */
export function listenOnGlobalObject(): void {
  becomeEventTarget(globalThis);
  target = {
    addEventListener: (...args) => Reflect.apply(add, globalThis, args),
    removeEventListener: (...args) => Reflect.apply(remove, globalThis, args),
    dispatchEvent: (event) => Reflect.apply(dispatch, globalThis, [event]),
  };
}

const wrappers = new WeakMap<Listener, (event: Event) => void>();

/** Where the exceptions of an event's listeners go while it is dispatched. */
interface Sink {
  readonly event: Event;
  readonly outer: Sink | undefined;
  errors: unknown[] | undefined;
}

const NO_ERRORS: readonly unknown[] = [];
/** Of the event that is dispatched right now; listeners may dispatch others. */
let innermost: Sink | undefined;

function sinkOf(event: Event): Sink | undefined {
  let sink = innermost;
  while (sink !== undefined && sink.event !== event) sink = sink.outer;
  return sink;
}

const listened = new Set<string>();

function call(listener: Listener, event: Event): unknown {
  return typeof listener === 'function' ? listener.call(globalThis, event) : listener.handleEvent(event);
}

function wrap(listener: Listener): (event: Event) => void {
  const known = wrappers.get(listener);
  if (known !== undefined) return known;
  const wrapper = (event: Event): void => {
    try {
      call(listener, event);
    } catch (error) {
      const sink = sinkOf(event);
      if (sink === undefined) reportError(error);
      else (sink.errors ??= []).push(error);
    }
  };
  wrappers.set(listener, wrapper);
  return wrapper;
}

function isListener(value: unknown): value is Listener {
  return typeof value === 'function' || (typeof value === 'object' && value !== null);
}

export function addEventListener(type: string, listener: unknown, options?: ListenerOptions): void {
  if (listener === null || listener === undefined) return;
  if (!isListener(listener)) throw new TypeError('The listener must be a function or an object');
  listened.add(type);
  target.addEventListener(type, wrap(listener), options);
}

/** Whether the event has, or once had, a listener: without one there is nothing to dispatch. */
export function hasListened(type: string): boolean {
  return listened.has(type);
}

export function removeEventListener(type: string, listener: unknown, options?: ListenerOptions): void {
  if (!isListener(listener)) return;
  const wrapper = wrappers.get(listener);
  if (wrapper !== undefined) target.removeEventListener(type, wrapper, options);
}

/** As EventTarget.dispatchEvent: exceptions of listeners become `error` events. */
export function dispatchEvent(event: Event): boolean {
  return target.dispatchEvent(event);
}

/** Dispatches and returns what the listeners threw, in order. */
export function dispatchCollecting(event: Event): readonly unknown[] {
  const sink: Sink = { event, outer: innermost, errors: undefined };
  innermost = sink;
  try {
    target.dispatchEvent(event);
  } finally {
    innermost = sink.outer;
  }
  return sink.errors ?? NO_ERRORS;
}

/** Takes every listener away. @returns puts them back */
export function setListenersAside(): () => void {
  const before = target;
  target = new EventTarget();
  const heard = new Set(listened);
  listened.clear();
  return () => {
    target = before;
    for (const type of heard) listened.add(type);
  };
}

let raise = (error: unknown): void => {
  queueMicrotask(() => {
    throw error;
  });
};

/** What raises the `error` event for an exception that nobody caught, at once. */
export function reportErrorsBy(handler: typeof raise): void {
  raise = handler;
}

/** HTML, 8.1.4.7: raises the `error` event, and returns once its listeners have been called. */
export function reportError(error: unknown): void {
  raise(error);
}
