/**
 * Cheap stand-ins for objects of Web classes. A view has the class's own prototype, so that it is an instance like any other; what it stands for is in
 * a private field. The members of the prototype look for that field first, and everything that no view answers itself goes to a real object made on
 * demand.
 */

/** What a view answers itself, by member; the rest asks the real object. */
export type Overrides<State> = ReadonlyMap<
  string | symbol,
  (state: State, receiver: unknown, args: readonly unknown[]) => unknown
>;

/** Makes the private fields of a subclass land on any object. */
// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- what its constructor returns is the point
export class Adopted {
  constructor(target: object) {
    return target;
  }
}

/** An object with that prototype; its private fields are the caller's affair. */
export function allocate<T extends object>(prototype: T): T {
  return Object.create(prototype) as T;
}

/** Gives `made` the name and length of the function that it takes the place of. */
function disguise(made: object, original: object): void {
  for (const key of ['name', 'length'] as const) {
    const known = Object.getOwnPropertyDescriptor(original, key);
    if (known !== undefined) Object.defineProperty(made, key, known);
  }
}

/** How views of one class are told and served. */
export interface ViewClass<State> {
  /** What a view stands for; undefined for real objects, which go the way they always went. */
  stateOf(value: unknown): State | undefined;
  /** The real object behind a view. */
  realOf(state: State): object;
  readonly overrides: Overrides<State>;
}

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/** A class, whatever its constructor takes. */
export interface AnyClass<T extends object = object> {
  readonly prototype: T;
  readonly name: string;
  new (...args: never[]): T;
}

/** Reflect.construct with a type. */
export function construct<T extends object>(
  of: AnyClass<T>,
  args: readonly unknown[],
  target: AnyFunction | AnyClass = of,
): T {
  return Reflect.construct(of, args, target) as T;
}

function isFunction(value: unknown): value is AnyFunction {
  return typeof value === 'function';
}

/** A function that looks like `original`, and has no prototype, as methods have none. */
export function methodLike(
  original: object,
  body: (receiver: unknown, args: readonly unknown[]) => unknown,
): AnyFunction {
  const holder: { readonly method: AnyFunction } = {
    method(this: unknown, ...args: unknown[]): unknown {
      return body(this, args);
    },
  };
  disguise(holder.method, original);
  return holder.method;
}

/** The same for a getter, which nobody gives arguments. */
function getterLike(original: AnyFunction, body: (receiver: unknown) => unknown): AnyFunction {
  const holder: { readonly getter: AnyFunction } = {
    getter(this: unknown): unknown {
      return body(this);
    },
  };
  disguise(holder.getter, original);
  return holder.getter;
}

const NO_ARGUMENTS: readonly unknown[] = [];

function getterFor<State>(views: ViewClass<State>, key: string | symbol, original: AnyFunction): AnyFunction {
  const override = views.overrides.get(key);
  return getterLike(original, (receiver) => {
    const state = views.stateOf(receiver);
    if (state === undefined) return Reflect.apply(original, receiver, NO_ARGUMENTS);
    return override === undefined
      ? Reflect.apply(original, views.realOf(state), NO_ARGUMENTS)
      : override(state, receiver, NO_ARGUMENTS);
  });
}

function methodFor<State>(views: ViewClass<State>, key: string | symbol, original: AnyFunction): AnyFunction {
  const override = views.overrides.get(key);
  return methodLike(original, (receiver, args) => {
    const state = views.stateOf(receiver);
    if (state === undefined) return Reflect.apply(original, receiver, args);
    return override === undefined
      ? Reflect.apply(original, views.realOf(state), args)
      : override(state, receiver, args);
  });
}

/**
 * Replaces getters and methods of a prototype in place. Names, lengths and descriptors stay, and members that were the same function
 * (`entries` and `[Symbol.iterator]`) are the same one afterwards.
 */
export function patchPrototype<State>(prototype: object, views: ViewClass<State>): void {
  const made = new Map<unknown, AnyFunction>();
  for (const key of Reflect.ownKeys(prototype)) {
    const known = Object.getOwnPropertyDescriptor(prototype, key);
    if (known === undefined || key === 'constructor') continue;
    const getter: unknown = Reflect.get(known, 'get');
    const original: unknown = getter ?? known.value;
    if (!isFunction(original)) continue;
    const make = getter === undefined ? methodFor : getterFor;
    const replacement = made.get(original) ?? make(views, key, original);
    made.set(original, replacement);
    const changes = getter === undefined ? { value: replacement } : { get: replacement };
    Object.defineProperty(prototype, key, { ...known, ...changes });
  }
}

/**
 * Replaces a class of the global scope by a constructor that shares its prototype, so that instances of either are instances of both.
 *
 * @param construct what `new` does; it gets new.target for subclasses
 */
export function replaceClass(
  original: AnyClass,
  make: (args: readonly unknown[], newTarget: AnyFunction) => object,
): AnyFunction {
  const replacement = function (...args: unknown[]): object {
    const target: unknown = new.target;
    if (!isFunction(target))
      throw new TypeError(`Class constructor ${original.name} cannot be invoked without 'new'`);
    return make(args, target);
  };
  disguise(replacement, original);
  for (const key of Reflect.ownKeys(original)) {
    const known = Object.getOwnPropertyDescriptor(original, key);
    if (known === undefined || key === 'name' || key === 'length') continue;
    Object.defineProperty(replacement, key, known);
  }
  Object.defineProperty(original.prototype, 'constructor', {
    value: replacement,
    writable: true,
    enumerable: false,
    configurable: true,
  });
  Object.defineProperty(globalThis, original.name, {
    value: replacement,
    writable: true,
    enumerable: false,
    configurable: true,
  });
  return replacement;
}
