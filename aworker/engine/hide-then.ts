const { defineProperty } = Object;

/**
 * A promise that is resolved with an object asks it for `then`, and so a getter that user code may have put on Object.prototype: it must not get this
 * one, nor any that has it as its prototype.
 */
export function hideThen<T extends object>(object: T): T {
  defineProperty(object, 'then', { value: undefined });
  return object;
}
