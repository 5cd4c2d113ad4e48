import { isCallable } from './interface.js';

/** Streams, 5.3.3: a write to a closed stream rejects. Node.js 20 throws an assertion of its own, where the closing has been done. */
export function correctWriteAfterClose(): void {
  const { prototype } = WritableStreamDefaultWriter;
  const original: unknown = Object.getOwnPropertyDescriptor(prototype, 'write')?.value;
  if (!isCallable(original)) return;
  const own = {
    write(this: unknown, ...args: unknown[]): unknown {
      try {
        return Reflect.apply(original, this, args);
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ERR_INTERNAL_ASSERTION')
          return Promise.reject(new TypeError('The WritableStream is closed'));
        throw error;
      }
    },
  };
  Object.defineProperty(own.write, 'length', { value: original.length, configurable: true });
  Object.defineProperty(prototype, 'write', {
    value: own.write,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}
