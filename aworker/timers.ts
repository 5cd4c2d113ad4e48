type Callback = (...args: unknown[]) => void;

/** Callbacks of the fetch implementation that Node bundles (undici): it takes the global timers and needs Timeout objects back. */
const FETCH_CALLBACKS = new Set([
  'onTick',
  'onParserTimeout',
  'onHttp2SendPing',
  'onNoStreamsTimeout',
  'onHttp2SessionIdleTimeout',
]);

/** Node clears a timer by the number of its Timeout object, too. */
function identify(timer: NodeJS.Timeout, callback: Callback): number | NodeJS.Timeout {
  return FETCH_CALLBACKS.has(callback.name) ? timer : Number(timer);
}

/** The timer functions of the Web: they return numbers. */
export function createTimers(): Record<string, unknown> {
  const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
  return {
    setTimeout: (callback: Callback, delay?: number, ...args: unknown[]) =>
      identify(setTimeout(callback, delay, ...args), callback),
    setInterval: (callback: Callback, delay?: number, ...args: unknown[]) =>
      identify(setInterval(callback, delay, ...args), callback),
    clearTimeout: (timer?: number | NodeJS.Timeout): void => clearTimeout(timer),
    clearInterval: (timer?: number | NodeJS.Timeout): void => clearInterval(timer),
  };
}
