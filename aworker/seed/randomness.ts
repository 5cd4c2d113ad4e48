import nodeCrypto, { randomUUID } from 'node:crypto';

const state = new Uint32Array(4);

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

/** xoshiro128**, Blackman and Vigna 2018. */
function next(): number {
  const [a = 0, b = 0, c = 0, d = 0] = state;
  const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
  const c1 = c ^ a;
  const d1 = d ^ b;
  state[0] = a ^ d1;
  state[1] = b ^ c1;
  state[2] = c1 ^ (b << 9);
  state[3] = rotate(d1, 11);
  return result;
}

/** Buffers that libraries fill with random bytes ahead of their use. */
const drawnAhead = new Set<Uint8Array>();

/** crypto.randomFillSync for libraries that keep what they draw: `reseed` draws it anew. @returns the buffer */
export function randomFillAhead(buffer: Uint8Array, offset?: number, size?: number): Uint8Array {
  drawnAhead.add(buffer);
  return nodeCrypto.randomFillSync(buffer, offset, size);
}

/** Draws a new state for Math.random, and all that was drawn ahead; in a clone after OpenSSL was reseeded. */
export function reseed(): void {
  globalThis.crypto.getRandomValues(state);
  for (const buffer of drawnAhead) nodeCrypto.randomFillSync(buffer);
}

const RANGE = 2 ** 48;

/** crypto.randomInt([min,] max) without Node's cache of a thousand values ahead, which every clone would repeat. */
export function randomInt(from: number, to?: number): number {
  const [min, max] = to === undefined ? [0, from] : [from, to];
  const span = max - min;
  const limit = RANGE - (RANGE % span);
  for (;;) {
    const [high = 0, low = 0] = globalThis.crypto.getRandomValues(new Uint32Array(2));
    const value = (high & 0xffff) * 2 ** 32 + low;
    if (value < limit) return min + (value % span);
  }
}

/**
 * Replaces the generators whose state a fork copies: V8's Math.random, which cannot be reseeded, and crypto.randomUUID and
 * crypto.randomInt with their pre-filled caches (fetch takes `randomInt` for the boundaries of forms), also where user code imports node:crypto.
 */
export function installRandomness(): void {
  reseed();
  const methods = {
    random: (): number => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992,
    randomUUID: (): string => randomUUID({ disableEntropyCache: true }),
  };
  Reflect.set(nodeCrypto, 'randomInt', randomInt);
  // randomUUIDv7, too, where there is one.
  for (const [name, native] of Object.entries(nodeCrypto)) {
    if (!name.startsWith('randomUUID') || typeof native !== 'function') continue;
    const uncached = (options?: object): unknown =>
      Reflect.apply(native, nodeCrypto, [{ ...options, disableEntropyCache: true }]);
    Reflect.set(nodeCrypto, name, Object.defineProperty(uncached, 'name', { value: name }));
  }
  Object.defineProperty(Math, 'random', {
    value: methods.random,
    writable: true,
    enumerable: false,
    configurable: true,
  });
  const prototype: unknown = Object.getPrototypeOf(globalThis.crypto);
  const holder = typeof prototype === 'object' && prototype !== null ? prototype : globalThis.crypto;
  Object.defineProperty(holder, 'randomUUID', {
    value: methods.randomUUID,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}
