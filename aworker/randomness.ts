import { randomInt, randomUUID } from 'node:crypto';

/** Node pre-computes this many randomInt values (lib/internal/crypto/random.js: 6 KiB, 6 bytes each). */
const RANDOM_INT_CACHE = 1024;

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

/** Draws a new state for Math.random; in a clone after OpenSSL was reseeded. */
export function reseed(): void {
  globalThis.crypto.getRandomValues(state);
}

/** Throws away what Node has pre-computed for randomInt (undici's form boundaries use it): it would repeat in every clone. */
export function drainRandomInt(): void {
  for (let i = 0; i < RANDOM_INT_CACHE; i++) randomInt(1);
}

/**
 * Replaces the generators whose state a fork copies: V8's Math.random, which cannot be reseeded, and crypto.randomUUID with its
 * pre-filled cache.
 */
export function installRandomness(): void {
  reseed();
  const methods = {
    random: (): number => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992,
    randomUUID: (): string => randomUUID({ disableEntropyCache: true }),
  };
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
