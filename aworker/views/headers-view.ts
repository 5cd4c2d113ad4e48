import { Adopted, allocate, construct, type Overrides, patchPrototype, replaceClass } from './web-view.js';

const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/;

/** The headers of a received message, as Node has them: name, value, name, value … Made into a Headers when `get` and `has` are not enough. */
class Received {
  readonly #raw: readonly string[];
  #real: Headers | undefined;

  constructor(raw: readonly string[]) {
    this.#raw = raw;
  }

  /** The combined value of a header; undefined where this cannot answer (not a token: the real object complains). */
  get(name: unknown): string | null | undefined {
    if (typeof name !== 'string' || !TOKEN.test(name)) return undefined;
    const raw = this.#raw;
    const wanted = name.toLowerCase();
    let found: string | null = null;
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const key = raw[i];
      if (key?.length !== wanted.length || key.toLowerCase() !== wanted) continue;
      const value = raw[i + 1] ?? '';
      found = found === null ? value : `${found}, ${value}`;
    }
    return found;
  }

  real(classes: HeadersClasses): Headers {
    this.#real ??= classes.make(pairs(this.#raw));
    return this.#real;
  }
}

function pairs(raw: readonly string[]): [string, string][] {
  const list: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) list.push([raw[i] ?? '', raw[i + 1] ?? '']);
  return list;
}

class HeadersView extends Adopted {
  readonly #state: Received;

  constructor(target: object, state: Received) {
    super(target);
    this.#state = state;
  }

  static stateOf(value: unknown): Received | undefined {
    return typeof value === 'object' && value !== null && #state in value ? value.#state : undefined;
  }
}

function refuse(): never {
  throw new TypeError('The headers of a received request are immutable');
}

export interface HeadersClasses {
  /** Headers over a message's raw headers, immutable (Service Workers, "Handle Fetch": headers guard "immutable"). */
  view(raw: readonly string[]): Headers;
  /** A Headers of the implementation's own. */
  make(init: [string, string][]): Headers;
  /** For those who look behind the interface: the real object for a view, everything else as it is. */
  real(value: unknown): unknown;
}

/** Lets `Headers` of the global scope have views. Call once, when the class has its final form. */
export function installHeadersViews(): HeadersClasses {
  const Native = globalThis.Headers;
  const { prototype } = Native;
  const overrides: Overrides<Received> = new Map<
    string,
    (state: Received, receiver: unknown, args: readonly unknown[]) => unknown
  >([
    [
      'get',
      (state, _receiver, args): unknown => {
        const value = state.get(args[0]);
        return value === undefined ? Reflect.apply(get, state.real(classes), args) : value;
      },
    ],
    [
      'has',
      (state, _receiver, args): unknown => {
        const value = state.get(args[0]);
        return value === undefined ? Reflect.apply(has, state.real(classes), args) : value !== null;
      },
    ],
    [
      'forEach',
      (state, receiver, args): unknown => {
        const [callback, self] = args;
        if (typeof callback !== 'function') return Reflect.apply(forEach, state.real(classes), args);
        for (const [name, value] of state.real(classes))
          Reflect.apply(callback, self, [value, name, receiver]);
        return undefined;
      },
    ],
    ['append', refuse],
    ['set', refuse],
    ['delete', refuse],
  ]);
  const { get, has, forEach } = prototype;
  const classes: HeadersClasses = {
    view(raw) {
      const view = allocate(prototype);
      new HeadersView(view, new Received(raw));
      return view;
    },
    make: (init) => new Native(init),
    real(value) {
      const state = HeadersView.stateOf(value);
      return state === undefined ? value : state.real(classes);
    },
  };
  patchPrototype(prototype, {
    stateOf: (value) => HeadersView.stateOf(value),
    realOf: (state) => state.real(classes),
    overrides,
  });
  replaceClass(Native, ([init], target) =>
    construct(Native, init === undefined ? [] : [classes.real(init)], target),
  );
  return classes;
}
