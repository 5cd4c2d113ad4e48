/** HTML, 2.7 and 9.4 to 9.5. Channels reach this worker alone. */

type Transferable = ArrayBuffer | MessagePort | ReadableStream | WritableStream | TransformStream;
interface StructuredSerializeOptions {
  transfer?: Transferable[];
}

interface MessageEventInit<T = unknown> extends EventInit {
  data?: T;
  origin?: string;
  lastEventId?: string;
  source?: MessagePort | null;
  ports?: MessagePort[];
}
interface MessageEvent<T = unknown> extends Event {
  readonly data: T;
  readonly origin: string;
  readonly lastEventId: string;
  readonly source: MessagePort | null;
  readonly ports: readonly MessagePort[];
  /** @deprecated use the constructor */
  initMessageEvent(
    type: string,
    bubbles?: boolean,
    cancelable?: boolean,
    data?: unknown,
    origin?: string,
    lastEventId?: string,
    source?: MessagePort | null,
    ports?: MessagePort[],
  ): void;
}
declare var MessageEvent: {
  prototype: MessageEvent;
  new <T>(type: string, init?: MessageEventInit<T>): MessageEvent<T>;
};

interface MessageEventMap {
  message: MessageEvent;
  messageerror: MessageEvent;
}

interface MessagePortEventMap extends MessageEventMap {
  close: Event;
}
interface MessagePort extends TypedEventTarget<MessagePortEventMap> {
  onclose: ((this: MessagePort, event: Event) => void) | null;
  onmessage: ((this: MessagePort, event: MessageEvent) => void) | null;
  onmessageerror: ((this: MessagePort, event: MessageEvent) => void) | null;
  close(): void;
  postMessage(message: unknown, transfer?: Transferable[] | StructuredSerializeOptions): void;
  start(): void;
}
declare var MessagePort: { prototype: MessagePort };

interface MessageChannel {
  readonly port1: MessagePort;
  readonly port2: MessagePort;
}
declare var MessageChannel: {
  prototype: MessageChannel;
  new (): MessageChannel;
};

interface BroadcastChannel extends TypedEventTarget<MessageEventMap> {
  readonly name: string;
  onmessage: ((this: BroadcastChannel, event: MessageEvent) => void) | null;
  onmessageerror: ((this: BroadcastChannel, event: MessageEvent) => void) | null;
  close(): void;
  postMessage(message: unknown): void;
}
declare var BroadcastChannel: {
  prototype: BroadcastChannel;
  new (name: string): BroadcastChannel;
};
