import { type HeadersClasses } from './headers-view.js';
import {
  Adopted,
  allocate,
  construct,
  methodLike,
  type Overrides,
  patchPrototype,
  replaceClass,
} from './web-view.js';

const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/;
/** Field values (RFC 9110, 5.5) after the white space around them was taken away. */
const VALUE = /^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?$/;
const REASON = /^[\t -~\x80-\xff]*$/;

export type PlainBody = string | Uint8Array | null;

/** A response that was made from text or bytes. Its Response is made when somebody looks closer. */
export class PlainResponse {
  readonly status: number;
  readonly statusText: string;
  readonly body: PlainBody;
  /** Name, value, name, value …; names in lower case. */
  readonly #flat: string[];
  #headers: Headers | undefined;
  #real: Response | undefined;
  #sent = false;

  constructor(status: number, statusText: string, body: PlainBody, flat: string[]) {
    this.status = status;
    this.statusText = statusText;
    this.body = body;
    this.#flat = flat;
  }

  /** What is to be sent: a list of its own. */
  flatHeaders(): string[] {
    if (this.#headers === undefined) return [...this.#flat];
    return [...this.#headers].flat();
  }

  headers(classes: ResponseClasses): Headers {
    this.#headers ??= classes.headers.make(
      this.#flat.flatMap((name, i) =>
        i % 2 === 0 ? [[name, this.#flat[i + 1] ?? ''] as [string, string]] : [],
      ),
    );
    return this.#headers;
  }

  get bodyUsed(): boolean {
    return (this.#sent && this.body !== null) || (this.#real?.bodyUsed ?? false);
  }

  /** Its body is on the way to a client, and can be read by nobody else. */
  markSent(): void {
    this.#sent = true;
  }

  /** Whether a stream of the body exists: what is to be sent has to be read from it. */
  get opened(): boolean {
    return this.#real !== undefined;
  }

  /** A Response of the implementation's own, with headers as they are now. */
  real(classes: ResponseClasses): Response {
    if (this.#real === undefined) {
      const { status, statusText } = this;
      this.#real = classes.make(this.body, { status, statusText, headers: this.headers(classes) });
      if (this.#sent && this.body !== null) void this.#real.text();
    } else {
      const { headers } = this.#real;
      for (const name of [...headers.keys()]) headers.delete(name);
      for (const [name, value] of this.headers(classes)) headers.append(name, value);
    }
    return this.#real;
  }
}

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
  /** For those who look behind the interface: the real object for a view, everything else as it is. */
  real(value: unknown): unknown;
}

/** The dictionary's members, each read once and in the order of WebIDL. */
interface ReadInit {
  readonly headers: unknown;
  readonly status: unknown;
  readonly statusText: unknown;
}

const NOTHING: ReadInit = { headers: undefined, status: undefined, statusText: undefined };

function readInit(init: unknown): ReadInit | undefined {
  if (init === undefined || init === null) return NOTHING;
  if (typeof init !== 'object') return undefined;
  return {
    headers: Reflect.get(init, 'headers'),
    status: Reflect.get(init, 'status'),
    statusText: Reflect.get(init, 'statusText'),
  };
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Flat headers from a Headers or a record of strings; undefined for anything that the real class has to judge. */
function flatten(headers: unknown): string[] | undefined {
  if (headers === undefined) return [];
  if (typeof headers !== 'object' || headers === null) return undefined;
  if (headers instanceof globalThis.Headers) return [...headers].flat();
  if (!isPlainObject(headers) || Symbol.iterator in headers) return undefined;
  const flat: string[] = [];
  for (const name of Object.keys(headers)) {
    const known = Object.getOwnPropertyDescriptor(headers, name);
    const value: unknown = known?.value;
    if (typeof value !== 'string' || !TOKEN.test(name) || !VALUE.test(value)) return undefined;
    const lower = name.toLowerCase();
    // The real class combines what differs in case only.
    for (let i = 0; i < flat.length; i += 2) if (flat[i] === lower) return undefined;
    flat.push(lower, value);
  }
  return flat;
}

function plainBody(body: unknown): PlainBody | undefined {
  if (body === undefined || body === null) return null;
  if (typeof body === 'string') return body;
  if (!(body instanceof Uint8Array) || !(body.buffer instanceof ArrayBuffer)) return undefined;
  return new Uint8Array(body);
}

function nullBodyStatus(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

function hasType(flat: readonly string[]): boolean {
  for (let i = 0; i < flat.length; i += 2) if (flat[i] === 'content-type') return true;
  return false;
}

function plainResponse(
  body: PlainBody,
  { headers, status = 200, statusText = '' }: ReadInit,
  type: string | undefined,
): PlainResponse | undefined {
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 200 || status > 599)
    return undefined;
  if (typeof statusText !== 'string' || !REASON.test(statusText)) return undefined;
  if (body !== null && nullBodyStatus(status)) return undefined;
  const flat = flatten(headers);
  if (flat === undefined) return undefined;
  if (type !== undefined && !hasType(flat)) flat.push('content-type', type);
  return new PlainResponse(status, statusText, body, flat);
}

/** Lets `Response` of the global scope have views. Call once, when the class has its final form. */
export function installResponseViews(headers: HeadersClasses): ResponseClasses {
  const Native = globalThis.Response;
  const { prototype } = Native;
  const classes: ResponseClasses = {
    headers,
    make: (body, init) => new Native(body, init),
    construct: (body, init) => construct(Native, [body, init]),
    plain(value) {
      const state = ResponseView.stateOf(value);
      return state?.opened === true ? undefined : state;
    },
    is: (value): value is Response => value instanceof Native,
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
    ['ok', (state) => state.status < 300],
    ['statusText', (state) => state.statusText],
    ['headers', (state) => state.headers(classes)],
    ['bodyUsed', (state) => state.bodyUsed],
    ['body', (state) => (state.body === null ? null : state.real(classes).body)],
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
