/**
 * `WebSocketPair`, by which handlers take WebSocket connections: two sockets joined to each other, one of which is given away in a 101 response
 * (docs/decisions/0021). https://developers.cloudflare.com/workers/runtime-apis/websockets/
 */
import { toUSVString } from 'node:util';
import { Adopted } from '../views/web-view.js';
import { WebSocket } from './fetch-family.js';
import { conform, defineHandlers, illegalInvocation, requireArguments, toDomString } from './interface.js';
import { SocketEnd } from './socket-end.js';

/** One end, as user code sees it: a WebSocket, whose prototype adds `accept` and serves the rest. */
export class PairedSocket extends Adopted {
  readonly #end: SocketEnd;

  constructor(end: SocketEnd) {
    super(end.target);
    this.#end = end;
  }

  /** The end behind an object; undefined for everything else. */
  static endOf(value: unknown): SocketEnd | undefined {
    return typeof value === 'object' && value !== null && #end in value ? value.#end : undefined;
  }
}

function brand(value: unknown): SocketEnd {
  return PairedSocket.endOf(value) ?? illegalInvocation();
}

/** The codes that an endpoint may put into a close frame (RFC 6455, 7.4, and IANA's registry). */
function isCloseCode(code: number): boolean {
  return (code >= 1000 && code <= 1014 && !(code >= 1004 && code <= 1006)) || (code >= 3000 && code <= 4999);
}

const MAX_REASON_BYTES = 123;

function closeCode(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const code = Math.round(Math.min(Math.max(Number(value), 0), 65_535)) || 0;
  if (!isCloseCode(code))
    throw new DOMException(`${code} is no code that a close frame may have`, 'InvalidAccessError');
  return code;
}

function closeReason(value: unknown): string {
  if (value === undefined) return '';
  const reason = toUSVString(toDomString(value));
  if (new TextEncoder().encode(reason).byteLength > MAX_REASON_BYTES)
    throw new DOMException(`The reason is longer than ${MAX_REASON_BYTES} bytes`, 'SyntaxError');
  return reason;
}

function sentData(data: unknown): string | Uint8Array<ArrayBuffer> | Blob {
  if (data instanceof Blob) return data;
  // What is sent is what it is now: the sender may go on writing there.
  if (data instanceof ArrayBuffer) return new Uint8Array(data.slice(0));
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  return toUSVString(toDomString(data));
}

class PairedMembers {
  /** Begins to deliver what arrives; nothing can be sent before. */
  accept(): void {
    brand(this).accept();
  }

  send(data: unknown): void {
    const end = brand(this);
    requireArguments('WebSocket.send', 1, arguments.length);
    end.send(sentData(data));
  }

  close(code?: unknown, reason?: unknown): void {
    const end = brand(this);
    end.close(closeCode(code), closeReason(reason));
  }

  get readyState(): number {
    return brand(this).readyState;
  }

  get bufferedAmount(): number {
    return brand(this).bufferedAmount;
  }

  get binaryType(): string {
    return brand(this).binaryType;
  }

  set binaryType(value: unknown) {
    const end = brand(this);
    if (value === 'blob' || value === 'arraybuffer') end.binaryType = value;
  }

  get protocol(): string {
    return brand(this).protocol;
  }

  get extensions(): string {
    brand(this);
    return '';
  }

  get url(): string {
    brand(this);
    return '';
  }
}
for (const [name, length] of [
  ['close', 0],
  ['send', 1],
] as const)
  Object.defineProperty(PairedMembers.prototype[name], 'length', { value: length, configurable: true });
defineHandlers(
  PairedMembers.prototype,
  ['open', 'message', 'error', 'close'],
  (value) => brand(value).target,
);
conform(PairedMembers, 'WebSocket');
// `constructor` is WebSocket, as for any other.
Reflect.deleteProperty(PairedMembers.prototype, 'constructor');
Object.setPrototypeOf(PairedMembers.prototype, WebSocket.prototype);

function makeSocket(): SocketEnd {
  const target = new EventTarget();
  Object.setPrototypeOf(target, PairedMembers.prototype);
  const end = new SocketEnd(target);
  new PairedSocket(end);
  return end;
}

/** Two sockets, as properties 0 and 1. */
export class WebSocketPair {
  readonly 0: EventTarget;
  readonly 1: EventTarget;

  constructor() {
    const [one, other] = [makeSocket(), makeSocket()];
    one.join(other);
    other.join(one);
    this[0] = one.target;
    this[1] = other.target;
  }
}
conform(WebSocketPair);
