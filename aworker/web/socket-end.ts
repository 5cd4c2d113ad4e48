import { setImmediate } from 'node:timers';
import { CloseEvent, MessageEvent } from './fetch-family.js';

/** A message on its way: text, or bytes that belong to the message alone. */
export type SocketData = string | Uint8Array<ArrayBuffer>;

/** What one side of a connection tells the other. */
export type Signal =
  | { readonly type: 'message'; readonly data: SocketData }
  /** Begins or answers the closing handshake; no code: the close frame has none. */
  | { readonly type: 'close'; readonly code: number | undefined; readonly reason: string }
  /** There is no connection any more; `error`: since one of the sides broke the protocol. */
  | { readonly type: 'lost'; readonly error: boolean };

/** The other side of a connection: an end in this worker, or a client. */
export interface Peer {
  /** Bytes that were taken and have not left yet. */
  readonly unsent: number;
  take(signal: Signal): void;
  /** This side takes signals from now on. */
  ready(): void;
}

/** `new`: signals wait until somebody wants them. `coupled`: a client's connection is in this end's place. */
type Phase = 'new' | 'accepted' | 'coupled';
type ReadyState = 'open' | 'closing' | 'closed';

/** WebSockets, 3.1. */
const READY_STATES: Readonly<Record<ReadyState, number>> = { open: 1, closing: 2, closed: 3 };

const NO_CODE = 1005;
const ABNORMAL = 1006;

/** The state of one end of a WebSocketPair. */
export class SocketEnd implements Peer {
  readonly target: EventTarget;
  binaryType: 'blob' | 'arraybuffer' = 'blob';
  protocol = '';
  #phase: Phase = 'new';
  #state: ReadyState = 'open';
  #peer: Peer | undefined;
  readonly #waiting: Signal[] = [];
  #delivering = false;
  /** What is still to be sent, while the bytes of a Blob before it are being read. */
  #sending: Promise<void> | undefined;
  #unread = 0;

  /** @param target where events are raised */
  constructor(target: EventTarget) {
    this.target = target;
  }

  get readyState(): number {
    return READY_STATES[this.#state];
  }

  get bufferedAmount(): number {
    return this.#unread + (this.#peer?.unsent ?? 0);
  }

  /** What was taken is here. */
  get unsent(): number {
    return 0;
  }

  /** Sets the other side, to which everything goes from now on. */
  join(peer: Peer): void {
    this.#peer = peer;
  }

  /** @throws TypeError for an end that was given away */
  accept(): void {
    if (this.#phase === 'coupled')
      throw new TypeError('accept(): this WebSocket was given away in a response');
    if (this.#phase === 'accepted') return;
    this.#phase = 'accepted';
    this.#peer?.ready();
    this.#deliver();
  }

  /** @throws DOMException InvalidStateError before `accept` */
  send(data: SocketData | Blob): void {
    this.#requireAccepted('send');
    if (this.#state !== 'open') return;
    if (!(data instanceof Blob)) {
      this.#tell({ type: 'message', data });
      return;
    }
    const { size } = data;
    this.#unread += size;
    const read = async (): Promise<Signal> => ({
      type: 'message',
      data: new Uint8Array(await data.arrayBuffer()),
    });
    this.#tellLater(
      read().finally(() => {
        this.#unread -= size;
      }),
    );
  }

  /** Begins the closing handshake. @throws DOMException InvalidStateError before `accept` */
  close(code: number | undefined, reason: string): void {
    this.#requireAccepted('close');
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#tell({ type: 'close', code, reason });
  }

  /** Whether this end can be given away. @throws TypeError */
  requireNew(): void {
    if (this.#phase !== 'new')
      throw new TypeError('The WebSocket of the response is in use already: give away the other one');
  }

  /** A client's connection takes this end's place; what was sent to it so far goes there. @throws TypeError for an end in use */
  couple(client: Peer): void {
    this.requireNew();
    const { other } = this;
    this.#phase = 'coupled';
    other.join(client);
    for (const signal of this.#waiting.splice(0)) client.take(signal);
    if (other.#phase === 'accepted') client.ready();
  }

  /** The end that this one was made with. */
  get other(): SocketEnd {
    if (this.#peer instanceof SocketEnd) return this.#peer;
    throw new TypeError('The WebSocket of the response has no other end in this worker');
  }

  /** Takes a signal of another end in this worker: it arrives later, as over a network. */
  take(signal: Signal): void {
    this.#waiting.push(signal);
    if (this.#phase === 'accepted') this.#deliver();
  }

  /** Takes a signal of a client's connection, each in a task of its own. */
  receive(signal: Signal): void {
    if (this.#phase === 'accepted' && this.#waiting.length === 0) this.#raise(signal);
    else this.take(signal);
  }

  ready(): void {
    // An end waits for nobody: what arrives is kept.
  }

  #requireAccepted(operation: string): void {
    if (this.#phase !== 'accepted')
      throw new DOMException(`${operation}(): call accept() first`, 'InvalidStateError');
  }

  #tell(signal: Signal): void {
    if (this.#sending === undefined) this.#peer?.take(signal);
    else this.#tellLater(Promise.resolve(signal));
  }

  /** Sends a signal behind those that are not ready yet. */
  #tellLater(signal: Promise<Signal>): void {
    const before = this.#sending;
    const sending = Promise.all([signal, before]).then(([ready]) => {
      this.#peer?.take(ready);
      if (this.#sending === sending) this.#sending = undefined;
    });
    this.#sending = sending;
  }

  /** Each event is a task of its own. */
  #deliver(): void {
    if (this.#delivering || this.#waiting.length === 0) return;
    this.#delivering = true;
    setImmediate(() => {
      this.#delivering = false;
      const signal = this.#waiting.shift();
      if (signal === undefined) return;
      this.#deliver();
      this.#raise(signal);
    });
  }

  #raise(signal: Signal): void {
    if (this.#state === 'closed') return;
    switch (signal.type) {
      case 'message':
        this.#message(signal.data);
        break;
      case 'close': {
        const { code, reason } = signal;
        if (this.#state === 'open') this.#peer?.take({ type: 'close', code, reason });
        this.#state = 'closed';
        this.#closed(code ?? NO_CODE, reason, true);
        break;
      }
      case 'lost':
        this.#state = 'closed';
        if (signal.error) this.target.dispatchEvent(new Event('error'));
        this.#closed(ABNORMAL, '', false);
        break;
    }
  }

  #message(message: SocketData): void {
    let data: string | Blob | ArrayBuffer;
    if (typeof message === 'string') data = message;
    else data = this.binaryType === 'blob' ? new Blob([message]) : message.buffer;
    this.target.dispatchEvent(new MessageEvent('message', { data }));
  }

  #closed(code: number, reason: string, wasClean: boolean): void {
    this.target.dispatchEvent(new CloseEvent('close', { code, reason, wasClean }));
  }
}
