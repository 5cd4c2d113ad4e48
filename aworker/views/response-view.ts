import { type HeadersClasses } from './headers-view.js';
import {
  type PlainBody,
  plainBody,
  plainResponse,
  type PlainResponse,
  type ReadInit,
  readInit,
  switchingResponse,
} from './plain-response.js';
import {
  Adopted,
  allocate,
  construct,
  methodLike,
  type Overrides,
  patchPrototype,
  replaceClass,
} from './web-view.js';

class ResponseView extends Adopted {
  readonly #state: PlainResponse;

  constructor(target: object, state: PlainResponse) {
    super(target);
    this.#state = state;
  }

  static stateOf(value: unknown): PlainResponse | undefined {
    return typeof value === 'object' && value !== null && #state in value ? value.#state : undefined;
  }
}

type Init = NonNullable<ConstructorParameters<typeof Response>[1]>;

export interface ResponseClasses {
  readonly headers: HeadersClasses;
  make(body: PlainBody, init: Init): Response;
  /** The same for an init that nobody has looked at. */
  construct(body: string, init: object): Response;
  /** What a response was made from, where that is text or bytes that nobody has opened as a stream. */
  plain(value: unknown): PlainResponse | undefined;
  is(value: unknown): value is Response;
  /** The socket of a 101 response; null for any other. @throws TypeError for what is no Response */
  webSocket(value: unknown): object | null;
  /** For those who look behind the interface: the real object for a view, everything else as it is. */
  real(value: unknown): unknown;
}

/** Lets `Response` of the global scope have views. Call once, when the class has its final form. */
export function installResponseViews(headers: HeadersClasses): ResponseClasses {
  const Native = globalThis.Response;
  const { prototype } = Native;
  const { clone } = prototype;
  const classes: ResponseClasses = {
    headers,
    make: (body, init) => new Native(body, init),
    construct: (body, init) => construct(Native, [body, init]),
    plain(value) {
      const state = ResponseView.stateOf(value);
      return state?.opened === true && state.webSocket === null ? undefined : state;
    },
    is: (value): value is Response => value instanceof Native,
    webSocket(value) {
      if (!(value instanceof Native)) throw new TypeError('Illegal invocation');
      return ResponseView.stateOf(value)?.webSocket ?? null;
    },
    real(value) {
      const state = ResponseView.stateOf(value);
      return state === undefined ? value : state.real(classes);
    },
  };
  const view = (state: PlainResponse): Response => {
    const made = allocate(prototype);
    new ResponseView(made, state);
    return made;
  };
  const overrides: Overrides<PlainResponse> = new Map<string, (state: PlainResponse) => unknown>([
    ['type', () => 'default'],
    ['url', () => ''],
    ['redirected', () => false],
    ['status', (state) => state.status],
    ['ok', (state) => state.status >= 200 && state.status < 300],
    ['statusText', (state) => state.statusText],
    ['headers', (state) => state.headers(classes)],
    ['bodyUsed', (state) => state.bodyUsed],
    ['body', (state) => (state.body === null ? null : state.real(classes).body)],
    [
      'clone',
      (state) => {
        if (state.webSocket !== null) throw new TypeError('A response with a WebSocket cannot be cloned');
        return Reflect.apply(clone, state.real(classes), []);
      },
    ],
  ]);
  patchPrototype(prototype, {
    stateOf: (value) => ResponseView.stateOf(value),
    realOf: (state) => state.real(classes),
    overrides,
  });

  const Replacement = replaceClass(Native, (args, target) => {
    const body = target === Replacement ? plainBody(args[0]) : undefined;
    const init = body === undefined ? undefined : readInit(args[1]);
    if (body === undefined || init === undefined) return construct(Native, unwrap(args), target);
    if (init.webSocket !== undefined && init.webSocket !== null) return view(switchingResponse(body, init));
    const type = typeof body === 'string' ? 'text/plain;charset=UTF-8' : undefined;
    const state = plainResponse(body, init, type);
    return state === undefined ? construct(Native, unwrap([body, init]), target) : view(state);
  });
  const unwrap = ([body, init]: readonly unknown[]): unknown[] => {
    const read = readInit(init);
    return [body, read === undefined ? init : { ...defined(read), headers: headers.real(read.headers) }];
  };
  replaceJson(Replacement, classes, view);
  return classes;
}

function defined(init: ReadInit): object {
  return Object.fromEntries(Object.entries(init).filter(([, value]) => value !== undefined));
}

/** Response.json() (Fetch, 5.5). */
function replaceJson(
  target: object,
  classes: ResponseClasses,
  view: (state: PlainResponse) => Response,
): void {
  const known = Object.getOwnPropertyDescriptor(target, 'json');
  const original: unknown = known?.value;
  if (typeof original !== 'function') return;
  const json = methodLike(original, (_receiver, args) => {
    const init = readInit(args[1]);
    // The real one complains about what it was given.
    if (init === undefined || args.length === 0) return Reflect.apply(original, target, args);
    const text: unknown = JSON.stringify(args[0]);
    if (typeof text !== 'string') throw new TypeError('The value is not JSON serializable');
    const state = plainResponse(text, init, 'application/json');
    if (state !== undefined) return view(state);
    const headers = construct(globalThis.Headers, [init.headers ?? {}]);
    if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    return classes.construct(text, { ...defined(init), headers });
  });
  Object.defineProperty(target, 'json', { ...known, value: json });
}
