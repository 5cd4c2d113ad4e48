/** Bounds on what a worker, its clients and its code may take. Milliseconds and bytes; 0 is no limit. */
export interface Limits {
  /** From the request's head to the moment the handler has a response. Beyond: 504. */
  readonly requestMs: number;
  /** CPU time from the request's head to the handler's response. Beyond: 503. */
  readonly cpuMs: number;
  /** Bytes of a request's body. Beyond: 413. */
  readonly bodyBytes: number;
  /** Bytes of a request's head. Beyond: 431. */
  readonly headerBytes: number;
  /** Until a request's head is complete. Beyond: 408. */
  readonly headersMs: number;
  /** Until a request is complete, body included. Beyond: 408. */
  readonly receiveMs: number;
  /** How long a connection waits for its next request. */
  readonly keepAliveMs: number;
  /** Bytes of one WebSocket message from a client. Beyond: the connection closes with 1009. */
  readonly messageBytes: number;
  /** Bytes sent to a WebSocket's client that it has not taken. Beyond: the connection ends. */
  readonly backlogBytes: number;
  /** How long a WebSocket may be silent before its client is pinged, and then has the same time to answer. Beyond: the connection ends. */
  readonly pingMs: number;
  /** Until the module is evaluated and `deserialize`, `install` and `activate` have settled. Beyond: the worker ends with status 1. */
  readonly startMs: number;
  /** From a signal that ends the worker to its end. */
  readonly graceMs: number;
  /** CPU time that JavaScript may take without a return to the event loop. Beyond: the worker ends with status 134. */
  readonly turnMs: number;
  /** Bytes of JavaScript's heap, rounded up to MiB, set when the engine starts. Beyond: the worker ends with status 134. */
  readonly heapBytes: number;
}

export const DEFAULT_LIMITS: Limits = {
  requestMs: 60_000,
  cpuMs: 0,
  bodyBytes: 100 * 1024 * 1024,
  headerBytes: 16 * 1024,
  headersMs: 20_000,
  receiveMs: 300_000,
  keepAliveMs: 5_000,
  messageBytes: 16 * 1024 * 1024,
  backlogBytes: 16 * 1024 * 1024,
  pingMs: 30_000,
  startMs: 60_000,
  graceMs: 10_000,
  turnMs: 0,
  heapBytes: 0,
};

export type LimitName = keyof Limits;

/** As setTimeout takes them; a day is 86,400,000. */
const MAX_MS = 2 ** 31 - 1;

function isLimitName(name: string): name is LimitName {
  return Object.hasOwn(DEFAULT_LIMITS, name);
}

/**
 * Limits from an object of some of them.
 *
 * @param where what the object is called in messages
 * @throws TypeError naming the member at fault
 */
export function parseLimits(where: string, value: unknown): Limits {
  if (value === undefined || value === null) return DEFAULT_LIMITS;
  if (typeof value !== 'object') throw new TypeError(`${where}: not an object`);
  const limits: Record<LimitName, number> = { ...DEFAULT_LIMITS };
  for (const [name, limit] of Object.entries(value)) {
    if (!isLimitName(name)) throw new TypeError(`${where}.${name}: no limit has that name`);
    const max = name.endsWith('Ms') ? MAX_MS : Number.MAX_SAFE_INTEGER;
    if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 0 || limit > max)
      throw new TypeError(`${where}.${name}: not a whole number from 0 to ${max}`);
    limits[name] = limit;
  }
  return limits;
}
