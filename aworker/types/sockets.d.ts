/** WebSockets; HTML, 9.2 (server-sent events). */

interface CloseEventInit extends EventInit {
  code?: number;
  reason?: string;
  wasClean?: boolean;
}
interface CloseEvent extends Event {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}
declare var CloseEvent: {
  prototype: CloseEvent;
  new (type: string, init?: CloseEventInit): CloseEvent;
};

interface WebSocketStates {
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
}
interface WebSocketEventMap {
  close: CloseEvent;
  error: Event;
  message: MessageEvent;
  open: Event;
}
type BinaryType = 'arraybuffer' | 'blob';
interface WebSocket extends TypedEventTarget<WebSocketEventMap>, WebSocketStates {
  binaryType: BinaryType;
  readonly bufferedAmount: number;
  readonly extensions: string;
  readonly protocol: string;
  readonly readyState: number;
  readonly url: string;
  onclose: ((this: WebSocket, event: CloseEvent) => void) | null;
  onerror: ((this: WebSocket, event: Event) => void) | null;
  onmessage: ((this: WebSocket, event: MessageEvent) => void) | null;
  onopen: ((this: WebSocket, event: Event) => void) | null;
  close(code?: number, reason?: string): void;
  send(data: BufferSource | Blob | string): void;
}
declare var WebSocket: WebSocketStates & {
  prototype: WebSocket;
  new (url: string | URL, protocols?: string | string[]): WebSocket;
};

/** An end of a WebSocketPair. */
interface PairedWebSocket extends WebSocket {
  /** Begins to deliver what arrives; nothing can be sent before. */
  accept(): void;
}
/** Two sockets that are joined; a response of status 101 gives one to the client. A type of its own, so that Object.values() knows what it has. */
type WebSocketPair = { readonly 0: PairedWebSocket; readonly 1: PairedWebSocket };
declare var WebSocketPair: {
  prototype: WebSocketPair;
  new (): WebSocketPair;
};

interface EventSourceStates {
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSED: 2;
}
interface EventSourceEventMap {
  error: Event;
  message: MessageEvent<string>;
  open: Event;
}
interface EventSource extends TypedEventTarget<EventSourceEventMap>, EventSourceStates {
  readonly readyState: number;
  readonly url: string;
  readonly withCredentials: boolean;
  onerror: ((this: EventSource, event: Event) => void) | null;
  onmessage: ((this: EventSource, event: MessageEvent<string>) => void) | null;
  onopen: ((this: EventSource, event: Event) => void) | null;
  close(): void;
}
declare var EventSource: EventSourceStates & {
  prototype: EventSource;
  new (url: string | URL, init?: { withCredentials?: boolean }): EventSource;
};
