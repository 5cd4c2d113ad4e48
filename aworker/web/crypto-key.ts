/**
 * Keys whose material stays out of reach: up to Node.js 22 a CryptoKey shows its KeyObject, which exports any key, by a property. There, workers get keys
 * of this class, and the methods of SubtleCrypto translate.
 */
import { KeyObject } from 'node:crypto';
import process from 'node:process';
import { clonableMaker, cloneSymbols } from '../engine/engine-internals.js';
import { hideThen } from '../engine/hide-then.js';
import { Adopted } from '../views/web-view.js';
import { cloneAs } from '../engine/structured-clones.js';
import { conform, illegalConstructor, illegalInvocation, isCallable } from './interface.js';

interface NativeKey {
  readonly type: string;
  readonly extractable: boolean;
  readonly algorithm: object;
  readonly usages: readonly string[];
}

interface Kept {
  readonly native: NativeKey;
  readonly algorithm: object;
  readonly usages: readonly string[];
}

/** User code may replace what Map, Promise and Reflect have, and would be handed native keys: nothing here asks them later. */
const { apply, deleteProperty } = Reflect;
const { then } = Promise.prototype;
const Native = Reflect.get(globalThis, 'CryptoKey') as new () => NativeKey;

/** Keeps in an object what it stands for. */
class Keeper extends Adopted {
  readonly #kept: Kept;

  constructor(key: object, kept: Kept) {
    super(key);
    this.#kept = kept;
  }

  static of(key: unknown): Kept | undefined {
    return typeof key === 'object' && key !== null && #kept in key ? key.#kept : undefined;
  }
}

function keptBy(key: unknown): Kept {
  return Keeper.of(key) ?? illegalInvocation();
}

/** Web Cryptography, 13. */
export class CryptoKey {
  constructor() {
    illegalConstructor();
  }

  get type(): string {
    return keptBy(this).native.type;
  }

  get extractable(): boolean {
    return keptBy(this).native.extractable;
  }

  get algorithm(): object {
    return keptBy(this).algorithm;
  }

  get usages(): readonly string[] {
    return keptBy(this).usages;
  }
}
conform(CryptoKey);

function toNative(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const known = Keeper.of(value);
  if (known !== undefined) return known.native;
  // EcdhKeyDeriveParams name the other party's key.
  const theirs = Keeper.of('public' in value ? value.public : undefined);
  return theirs === undefined ? value : { ...value, public: theirs.native };
}

/** What makes keys, once they are installed: before user code runs. */
let makeKey: () => object = illegalInvocation;

function fromNative(value: unknown): unknown {
  if (value instanceof Native) {
    const key = makeKey();
    new Keeper(key, { native: value, algorithm: value.algorithm, usages: value.usages });
    return key;
  }
  if (typeof value === 'object' && value !== null && 'privateKey' in value && 'publicKey' in value)
    return { publicKey: fromNative(value.publicKey), privateKey: fromNative(value.privateKey) };
  return value;
}

/** Some versions of Node.js name these errors as no specification does. */
function named(error: unknown): unknown {
  // Secret keys have no such format at all (Web Cryptography, 26.5: export key).
  if (error instanceof DOMException && /^Unable to export a raw .* secret key$/.test(error.message))
    return new DOMException(error.message, 'NotSupportedError');
  return error instanceof DOMException && error.name === 'InvalidAccessException'
    ? new DOMException(error.message, 'InvalidAccessError')
    : error;
}

const KIND = 'internal/aworker:CryptoKey';
/** Keys that are being cloned, by number: user code can call what the engine calls, and must not see more. */
const underWay = Object.create(null) as Record<number, NativeKey>;
let last = 0;

/** @returns forgets the keys that have been under way since and were not cloned */
export function followKeys(): () => void {
  const before = last;
  return () => {
    for (let id = before + 1; id <= last; id++) deleteProperty(underWay, id);
  };
}

/** Structured cloning of keys (Web Cryptography, 13.5). */
function makeKeysClonable(): void {
  const { clone, deserialize } = cloneSymbols();
  const methods = {
    [clone](this: unknown): object {
      const { native } = keptBy(this);
      last += 1;
      underWay[last] = native;
      return { data: last, deserializeInfo: KIND };
    },
    [deserialize](this: object, id: unknown): void {
      const native = underWay[Number(id)];
      if (native === undefined || Keeper.of(this) !== undefined) illegalInvocation();
      deleteProperty(underWay, Number(id));
      new Keeper(this, { native, algorithm: copyOf(native.algorithm), usages: [...native.usages] });
    },
  };
  for (const symbol of [clone, deserialize])
    Object.defineProperty(CryptoKey.prototype, symbol, { value: methods[symbol], configurable: true });
  cloneAs(KIND, makeKey);
}

function copyOf(algorithm: object): object {
  return Object.fromEntries(
    Object.entries(algorithm).map(([name, value]: [string, unknown]) => [
      name,
      value instanceof Uint8Array
        ? value.slice()
        : typeof value === 'object' && value !== null
          ? { ...value }
          : value,
    ]),
  );
}

/** Whether keys of this engine show what they hold: since Node.js 24 it is in fields of C++. */
export const KEYS_SHOW_MATERIAL = Number(process.versions.node.split('.', 1).join('')) < 24;

function fail(error: unknown): never {
  throw named(error);
}

/** Puts the translation into the methods of SubtleCrypto. */
export function installKeys(prototype: object): void {
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const original: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
    if (name === 'constructor' || !isCallable(original)) continue;
    const holder = {
      async [name](...args: unknown[]): Promise<unknown> {
        for (let i = 0; i < args.length; i++) args[i] = toNative(args[i]);
        let result: unknown;
        try {
          result = apply(original, this, args);
        } catch (error) {
          throw named(error);
        }
        return apply(then, result, [fromNative, fail]);
      },
    };
    const method: unknown = holder[name];
    if (typeof method !== 'function') continue;
    Object.defineProperty(method, 'length', { value: original.length, configurable: true });
    Object.defineProperty(prototype, name, {
      value: method,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  makeKey = clonableMaker(CryptoKey);
  hideThen(Native.prototype as object);
  hideThen(KeyObject.prototype);
  makeKeysClonable();
  Object.defineProperty(globalThis, 'CryptoKey', {
    value: CryptoKey,
    writable: true,
    enumerable: false,
    configurable: true,
  });
}
