/**
 * Globals that the fetch implementation bundled with Node looks up at run time, although no worker may see them: they read as
 * undefined for everybody but Node's own code.
 */

/** The file of the function that reads the global: the frame below `reader`. */
function callerFile(reader: () => unknown): unknown {
  const { stackTraceLimit } = Error;
  const prepare = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  const holder: { stack?: unknown } = {};
  Error.stackTraceLimit = 1;
  Error.prepareStackTrace = (_error, frames): unknown => frames[0]?.getFileName();
  try {
    Error.captureStackTrace(holder, reader);
    return holder.stack;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    if (prepare === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace');
    else Object.defineProperty(Error, 'prepareStackTrace', prepare);
  }
}

/** Hides globalThis[name] from user code, which may define one of its own under that name. */
export function hideGlobal(name: 'Buffer' | 'global' | 'setImmediate' | 'clearImmediate'): void {
  const original: unknown = globalThis[name];
  let own: unknown;
  const read = (): unknown => {
    const file = callerFile(read);
    return typeof file === 'string' && file.startsWith('node:internal/') ? original : own;
  };
  Object.defineProperty(globalThis, name, {
    configurable: true,
    enumerable: false,
    get: read,
    set(value: unknown) {
      own = value;
    },
  });
}
