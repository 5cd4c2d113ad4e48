/** What Web IDL asks of every interface, beyond what `class` gives: https://webidl.spec.whatwg.org/#js-interfaces */

type Constructor = abstract new (...args: never[]) => unknown;

function eachOwn(
  object: object,
  change: (key: string, known: PropertyDescriptor) => PropertyDescriptor | undefined,
): void {
  for (const key of Object.getOwnPropertyNames(object)) {
    const known = Object.getOwnPropertyDescriptor(object, key);
    if (known?.configurable !== true) continue;
    const changed = change(key, known);
    if (changed !== undefined) Object.defineProperty(object, key, changed);
  }
}

/**
 * Members of the prototype and static operations are enumerable, and instances have the interface's name as their tag.
 *
 * @param name where it is not the class's own
 */
export function conform(constructor: Constructor, name: string = constructor.name): void {
  const { prototype } = constructor as { readonly prototype: object };
  eachOwn(prototype, (key, known) =>
    key === 'constructor' || known.enumerable === true ? undefined : { ...known, enumerable: true },
  );
  eachOwn(constructor, (_key, known) =>
    (typeof known.value === 'function' || known.get !== undefined) && known.enumerable !== true
      ? { ...known, enumerable: true }
      : undefined,
  );
  Object.defineProperty(prototype, Symbol.toStringTag, {
    value: name,
    writable: false,
    enumerable: false,
    configurable: true,
  });
  const own = Object.getOwnPropertyDescriptor(constructor, 'name');
  if (own?.value !== name)
    Object.defineProperty(constructor, 'name', { ...own, value: name, configurable: true });
}

/** A constant is on the interface and on its prototype. */
export function defineConstants(constructor: Constructor, constants: Readonly<Record<string, number>>): void {
  const { prototype } = constructor as { readonly prototype: object };
  for (const [name, value] of Object.entries(constants)) {
    const descriptor = { value, writable: false, enumerable: true, configurable: false };
    Object.defineProperty(constructor, name, descriptor);
    Object.defineProperty(prototype, name, descriptor);
  }
}

/** The error of an operation that was given too few arguments. */
export function requireArguments(what: string, required: number, given: number): void {
  if (given < required) {
    const many = required === 1 ? '1 argument' : `${required} arguments`;
    throw new TypeError(`${what}: ${many} required, but only ${given} present`);
  }
}

/** The error of a method that is called on something else. */
export function illegalInvocation(): never {
  throw new TypeError('Illegal invocation');
}

export function illegalConstructor(): never {
  throw new TypeError('Illegal constructor');
}

/** Web IDL's callback function types. */
export type Callable = (this: unknown, ...args: unknown[]) => unknown;

export function isCallable(value: unknown): value is Callable {
  return typeof value === 'function';
}

/** OnErrorEventHandler: called with the event's members; `true` means that the error was dealt with. */
function reportTo(handler: Callable, target: EventTarget, event: Event): void {
  const args = ['message', 'filename', 'lineno', 'colno', 'error'].map((name): unknown =>
    Reflect.get(event, name),
  );
  if (Reflect.apply(handler, target, args) === true) event.preventDefault();
}

/**
 * Event handler attributes (HTML, 8.1.8.1): one listener each, whose place in the order is that of the first assignment.
 *
 * @param onSet called after an assignment, with the target
 */
export function defineHandlers(
  prototype: object,
  types: readonly string[],
  brand: (target: unknown) => EventTarget,
  onSet: (target: EventTarget) => void = () => undefined,
): void {
  for (const type of types) {
    const handlers = new WeakMap<EventTarget, { current: Callable | object | null }>();
    const name = `on${type}`;
    const accessors = {
      get [name](): unknown {
        return handlers.get(brand(this))?.current ?? null;
      },
      set [name](value: unknown) {
        const target = brand(this);
        const known = handlers.get(target);
        const current = isCallable(value) || (typeof value === 'object' && value !== null) ? value : null;
        if (known !== undefined) known.current = current;
        else if (current !== null) {
          const slot = { current: current as Callable | object | null };
          handlers.set(target, slot);
          target.addEventListener(type, (event) => {
            if (!isCallable(slot.current)) return;
            if (type === 'error' && 'lineno' in event) reportTo(slot.current, target, event);
            else if (Reflect.apply(slot.current, target, [event]) === false) event.preventDefault();
          });
        }
        onSet(target);
      },
    };
    const known = Object.getOwnPropertyDescriptor(accessors, name);
    if (known !== undefined) Object.defineProperty(prototype, name, { ...known, configurable: true });
  }
}

/** Web IDL's `DOMString`: other than String(), it refuses symbols. */
export function toDomString(value: unknown): string {
  if (typeof value === 'symbol') throw new TypeError('Cannot convert a Symbol value to a string');
  return String(value);
}
