import { type ResponseClasses } from './response-view.js';
import { toDomString } from '../web/interface.js';
import { PairedSocket } from '../web/web-socket-pair.js';
import { construct } from './web-view.js';

const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/;
/** Field values (RFC 9110, 5.5) after the white space around them was taken away. */
const VALUE = /^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?$/;
const REASON = /^[\t -~\x80-\xff]*$/;

export type PlainBody = string | Uint8Array | null;

/** A response that was made from text or bytes, or for a WebSocket. Its Response is made when somebody looks closer. */
export class PlainResponse {
  readonly status: number;
  readonly statusText: string;
  readonly body: PlainBody;
  /** The socket that the client is to be joined to. */
  readonly webSocket: object | null;
  /** Name, value, name, value …; names in lower case. */
  readonly #flat: string[];
  #headers: Headers | undefined;
  #real: Response | undefined;
  #sent = false;

  constructor(
    status: number,
    statusText: string,
    body: PlainBody,
    flat: string[],
    webSocket: object | null = null,
  ) {
    this.status = status;
    this.statusText = statusText;
    this.body = body;
    this.#flat = flat;
    this.webSocket = webSocket;
  }

  /** What is to be sent. */
  flatHeaders(): readonly string[] {
    if (this.#headers === undefined) return this.#flat;
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
      const { statusText } = this;
      // The implementation makes none that switches protocols.
      const status = this.webSocket === null ? this.status : 200;
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

/** The dictionary's members, each read once and in the order of WebIDL. */
export interface ReadInit {
  readonly headers: unknown;
  readonly status: unknown;
  readonly statusText: unknown;
  readonly webSocket: unknown;
}

const NOTHING: ReadInit = {
  headers: undefined,
  status: undefined,
  statusText: undefined,
  webSocket: undefined,
};

export function readInit(init: unknown): ReadInit | undefined {
  if (init === undefined || init === null) return NOTHING;
  if (typeof init !== 'object') return undefined;
  return {
    headers: Reflect.get(init, 'headers'),
    status: Reflect.get(init, 'status'),
    statusText: Reflect.get(init, 'statusText'),
    webSocket: Reflect.get(init, 'webSocket'),
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

export function plainBody(body: unknown): PlainBody | undefined {
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

export function plainResponse(
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

/**
 * The answer to a WebSocket handshake.
 *
 * @throws RangeError, TypeError for one that cannot be that
 */
export function switchingResponse(
  body: PlainBody,
  { headers, status, statusText, webSocket }: ReadInit,
): PlainResponse {
  if (status !== 101) throw new RangeError('A response with a WebSocket has the status 101');
  if (body !== null) throw new TypeError('A response with a WebSocket has no body');
  const socket: unknown = webSocket;
  if (typeof socket !== 'object' || socket === null || PairedSocket.endOf(socket) === undefined)
    throw new TypeError('The webSocket of a response is one of a WebSocketPair');
  const list = flatten(headers) ?? [...construct(globalThis.Headers, [headers])].flat();
  const text = statusText === undefined ? '' : toDomString(statusText);
  return new PlainResponse(101, text, null, list, socket);
}
