import { conform, isCallable } from './interface.js';

interface QuotaExceededErrorOptions {
  readonly quota?: number;
  readonly requested?: number;
}

type QuotaExceededErrorClass = new (message?: string, options?: QuotaExceededErrorOptions) => DOMException;

/** Web IDL's `double`, of an optional member. @throws TypeError, RangeError */
function amount(options: object, name: string): number | null {
  const given: unknown = Reflect.get(options, name);
  if (given === undefined) return null;
  const value = Number(given);
  if (!Number.isFinite(value)) throw new TypeError(`QuotaExceededError: ${name} is no finite number`);
  if (value < 0) throw new RangeError(`QuotaExceededError: ${name} is negative`);
  return value;
}

/** Web IDL, 4.4. Engines from Node.js 26 have their own. */
class Own extends DOMException {
  readonly #quota: number | null;
  readonly #requested: number | null;

  constructor(message: unknown = '', options?: unknown) {
    super(String(message), 'QuotaExceededError');
    if (
      options !== undefined &&
      options !== null &&
      typeof options !== 'object' &&
      typeof options !== 'function'
    )
      throw new TypeError('QuotaExceededError: the options are no object');
    const given = options ?? {};
    this.#quota = amount(given, 'quota');
    this.#requested = amount(given, 'requested');
    if (this.#quota !== null && this.#requested !== null && this.#requested < this.#quota)
      throw new RangeError('QuotaExceededError: less was requested than the quota is');
  }

  get quota(): number | null {
    return this.#quota;
  }

  get requested(): number | null {
    return this.#requested;
  }
}
Object.defineProperty(Own, 'length', { value: 0, configurable: true });
conform(Own, 'QuotaExceededError');

const native: unknown = Reflect.get(globalThis, 'QuotaExceededError');

export const QuotaExceededError = (isCallable(native) ? native : Own) as QuotaExceededErrorClass;

/** Makes `getRandomValues` throw this class, where the engine throws a DOMException of that name. */
export function correctQuotaErrors(): void {
  const prototype = Object.getPrototypeOf(crypto) as typeof crypto;
  const random = prototype.getRandomValues;
  const own = {
    getRandomValues(this: unknown, array: unknown): unknown {
      try {
        return Reflect.apply(random, this, [array as never]);
      } catch (error) {
        if (error instanceof DOMException && error.name === 'QuotaExceededError')
          throw new QuotaExceededError(error.message);
        throw error;
      }
    },
  };
  if ((QuotaExceededError as unknown) !== native)
    Object.defineProperty(prototype, 'getRandomValues', {
      value: own.getRandomValues,
      writable: true,
      enumerable: true,
      configurable: true,
    });
}
