/**
 * Keys whose material stays out of reach: up to Node.js 22 a CryptoKey shows its KeyObject, which exports any key, by a property. There, workers get keys
 * of this class, and the methods of SubtleCrypto translate.
 */
import process from 'node:process';
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

const kept = new WeakMap<object, Kept>();
const Native = Reflect.get(globalThis, 'CryptoKey') as new () => NativeKey;

function keptBy(key: unknown): Kept {
  return (typeof key === 'object' && key !== null ? kept.get(key) : undefined) ?? illegalInvocation();
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
  const known = kept.get(value);
  if (known !== undefined) return known.native;
  // EcdhKeyDeriveParams name the other party's key.
  const other: unknown = 'public' in value ? value.public : undefined;
  const theirs = typeof other === 'object' && other !== null ? kept.get(other) : undefined;
  return theirs === undefined ? value : { ...value, public: theirs.native };
}

function fromNative(value: unknown): unknown {
  if (value instanceof Native) {
    const key = Object.create(CryptoKey.prototype) as object;
    kept.set(key, { native: value, algorithm: value.algorithm, usages: value.usages });
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

/** Whether keys of this engine show what they hold: since Node.js 24 it is in fields of C++. */
export const KEYS_SHOW_MATERIAL = Number(process.versions.node.split('.', 1).join('')) < 24;

/** Puts the translation into the methods of SubtleCrypto. */
export function installKeys(prototype: object): void {
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const original: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
    if (name === 'constructor' || !isCallable(original)) continue;
    const holder = {
      async [name](...args: unknown[]): Promise<unknown> {
        try {
          return fromNative(await Reflect.apply(original, this, args.map(toNative)));
        } catch (error) {
          throw named(error);
        }
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
  Object.defineProperty(globalThis, 'CryptoKey', {
    value: CryptoKey,
    writable: true,
    enumerable: false,
    configurable: true,
  });
}
