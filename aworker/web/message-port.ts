import { MessageChannel as NativeChannel, type MessagePort as NativePort } from 'node:worker_threads';
import { followKeys } from './crypto-key.js';
import {
  conform,
  defineHandlers,
  illegalConstructor,
  illegalInvocation,
  requireArguments,
} from './interface.js';

/**
 * Node calls this method of a port with each message (lib/internal/per_context/messageport.js).
 */
const DISPATCH = Symbol.for('nodejs.internal.kHybridDispatch');
const RECEIVED_PORTS = /\(nodejs\.internal\.kCurrentlyReceivingPorts\)$/;
/** Node's codes for what is a DataCloneError (HTML, 2.7.7). */
const CLONE_ERRORS = new Set<unknown>([
  'ERR_MISSING_TRANSFERABLE_IN_TRANSFER_LIST',
  'ERR_INVALID_TRANSFER_OBJECT',
]);

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

function methodOf(prototype: object, name: string): AnyFunction {
  const method: unknown = Reflect.get(prototype, name);
  if (typeof method !== 'function') throw new Error(`This Node.js has no MessagePort.prototype.${name}`);
  return method as AnyFunction;
}

const nativePrototype = globalThis.MessagePort.prototype;
const native = {
  postMessage: methodOf(nativePrototype, 'postMessage'),
  start: methodOf(nativePrototype, 'start'),
  close: methodOf(nativePrototype, 'close'),
  ref: methodOf(nativePrototype, 'ref'),
};
/** Node's own listeners, which hold the event loop by methods that ports no longer have, hang on these. */
const NODE_HOOKS = /\((?:kNewListener|kRemoveListener)\)$/;
const dispatch = Reflect.get(EventTarget.prototype, DISPATCH) as AnyFunction;
const CLOSED = Object.getOwnPropertySymbols(nativePrototype).find(
  (symbol) => symbol.description === 'handle_onclose',
);

const adopted = new WeakSet<object>();
let makeMessageEvent: (data: unknown, ports: readonly object[], type: string) => Event = () => {
  throw new Error('The event classes are not loaded yet');
};

/** The class of message events is loaded after the ports that its own code knows. */
export function deliverAs(make: typeof makeMessageEvent): void {
  makeMessageEvent = make;
}

function brand(value: unknown): MessagePort {
  return value instanceof MessagePort && adopted.has(value) ? value : illegalInvocation();
}

/** HTML, 9.4.4. Node's ports underneath, without what Node adds to them. */
export class MessagePort extends EventTarget {
  constructor() {
    illegalConstructor();
    super();
  }

  postMessage(message: unknown, options?: unknown): void {
    const port = brand(this);
    requireArguments('MessagePort.postMessage', 1, arguments.length);
    const transfer = transferList(options);
    cloning(() => Reflect.apply(native.postMessage, port, [message, transfer]));
  }

  start(): void {
    const port = brand(this);
    Reflect.apply(native.start, port, []);
    Reflect.apply(native.ref, port, []);
  }

  close(): void {
    Reflect.apply(native.close, brand(this), []);
  }
}
Object.defineProperty(MessagePort.prototype.postMessage, 'length', { value: 1, configurable: true });
defineHandlers(MessagePort.prototype, ['message'], brand, (target) => brand(target).start());
defineHandlers(MessagePort.prototype, ['messageerror', 'close'], brand);
conform(MessagePort);

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

/**
 * The objects to transfer, of `sequence<object>` or `StructuredSerializeOptions`.
 *
 * @throws TypeError
 */
export function transferList(options: unknown): object[] {
  if (options === undefined || options === null) return [];
  if (typeof options !== 'object' && typeof options !== 'function')
    throw new TypeError('The transfer option is neither a sequence nor an object');
  const list: unknown = isIterable(options) ? options : Reflect.get(options, 'transfer');
  if (list === undefined) return [];
  if (!isIterable(list)) throw new TypeError('The transfer list is not iterable');
  return [...list].map((item) => {
    if (item instanceof ArrayBuffer && isDetached(item))
      throw new DOMException('An ArrayBuffer is detached', 'DataCloneError');
    if ((typeof item === 'object' && item !== null) || typeof item === 'function') return item;
    throw new TypeError('A member of the transfer list is not an object');
  });
}

/** Makes one of Node's ports a port of the Web. */
export function adoptPort(port: object): MessagePort {
  if (port instanceof MessagePort) return port;
  for (const symbol of Object.getOwnPropertySymbols(port))
    if (NODE_HOOKS.test(String(symbol))) Reflect.deleteProperty(port, symbol);
  Object.setPrototypeOf(port, MessagePort.prototype);
  Object.defineProperty(port, DISPATCH, {
    value(this: EventTarget, data: unknown, type: string, event?: Event) {
      // EventTarget's own dispatchEvent comes here, too.
      if (event !== undefined) return Reflect.apply(dispatch, this, [data, type, event]);
      const received = takePorts(this);
      return this.dispatchEvent(makeMessageEvent(data, received, type));
    },
  });
  if (CLOSED !== undefined) {
    Object.defineProperty(port, CLOSED, {
      value(this: EventTarget) {
        this.dispatchEvent(new Event('close'));
      },
    });
  }
  adopted.add(port);
  return brand(port);
}

/** The ports that came with the message being dispatched. */
function takePorts(port: object): MessagePort[] {
  const slot = Object.getOwnPropertySymbols(port).find((symbol) => RECEIVED_PORTS.test(String(symbol)));
  if (slot === undefined) return [];
  const ports: unknown = Reflect.get(port, slot);
  Reflect.set(port, slot, undefined);
  return Array.isArray(ports) ? flat(ports) : [];
}

/** Runs an operation of Node's whose errors are to be those of the specification. */
function cloning<T>(operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    if (error instanceof TypeError && 'code' in error && CLONE_ERRORS.has(error.code))
      throw new DOMException(error.message, 'DataCloneError');
    throw error;
  }
}

/** What is still under way afterwards was part of a clone that failed. */
function atOnce<T>(operation: () => T): T {
  const forget = followKeys();
  try {
    return cloning(operation);
  } finally {
    forget();
  }
}

/** Such a buffer cannot be transferred, and no view of it can be made. */
function isDetached(buffer: ArrayBuffer): boolean {
  try {
    return new Uint8Array(buffer).byteLength < 0;
  } catch {
    return true;
  }
}

/** Adopts the ports of a message; some versions of Node.js wrap the list once more. */
function flat(ports: readonly unknown[]): MessagePort[] {
  return ports
    .flat()
    .filter((port): port is NativePort => typeof port === 'object' && port !== null)
    .map(adoptPort);
}

/** HTML, 9.4.3. */
export class MessageChannel {
  readonly #port1: MessagePort;
  readonly #port2: MessagePort;

  constructor() {
    const { port1, port2 } = new NativeChannel();
    this.#port1 = adoptPort(port1);
    this.#port2 = adoptPort(port2);
  }

  get port1(): MessagePort {
    return this.#port1;
  }

  get port2(): MessagePort {
    return this.#port2;
  }
}
conform(MessageChannel);

const nodeClone = globalThis.structuredClone;

/** HTML, 2.7.10, for ports too. */
export function structuredClone(value: unknown, options?: unknown): unknown {
  requireArguments('structuredClone', 1, arguments.length);
  const transfer = options === undefined || options === null ? [] : transferOption(options);
  const ports = transfer.filter((item) => item instanceof MessagePort);
  if (transfer.length === 0) return atOnce(() => nodeClone(value));
  if (ports.length === 0) return atOnce(() => nodeClone(value, { transfer: transfer as never }));
  const cloned = atOnce(() => nodeClone({ value, ports }, { transfer: transfer as never }));
  for (const port of cloned.ports) adoptPort(port);
  return cloned.value;
}
Object.defineProperty(structuredClone, 'length', { value: 1, configurable: true });

function transferOption(options: unknown): object[] {
  if (typeof options !== 'object' && typeof options !== 'function')
    throw new TypeError('The options of structuredClone are no object');
  return isIterable(options) ? [] : transferList(options);
}
