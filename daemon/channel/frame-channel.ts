import { type Socket } from 'node:net';

const HEADER_BYTES = 8;
const DEFAULT_LIMIT = 1 << 20;
/** So many frames may wait for somebody to ask; then the peer has to. */
const MOST_WAITING = 256;

export interface Frame {
  /** One ASCII letter of docs/protocol.md. */
  readonly type: string;
  readonly payload: Buffer;
}

/** Encodes one frame of docs/protocol.md: `u32 length, u32 type, payload`. */
export function encodeFrame(type: string, payload: Uint8Array = new Uint8Array()): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  frame.writeUInt32LE(payload.length, 0);
  frame.writeUInt32LE(type.charCodeAt(0), 4);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

/**
 * Frames over a stream socket. Frames that arrive before somebody asks wait in order; a peer that sends many of them is not
 * read from meanwhile. A frame over the limit, or a broken
 * connection, ends the channel: `next` then gives undefined.
 */
export class FrameChannel {
  readonly #socket: Socket;
  readonly #limit: number;
  readonly #waiting: ((frame: Frame | undefined) => void)[] = [];
  readonly #ready: Frame[] = [];
  #chunks: Buffer[] = [];
  #buffered = 0;
  #ended = false;

  constructor(socket: Socket, limit: number = DEFAULT_LIMIT) {
    this.#socket = socket;
    this.#limit = limit;
    socket.on('data', (chunk: Buffer) => this.#accept(chunk));
    // The 'close' event follows, and is what ends the channel: the reason makes no difference to a peer that is gone.
    socket.on('error', () => this.#end());
    socket.on('end', () => this.#end());
    socket.on('close', () => this.#end());
  }

  /** True once the peer has gone. Frames received before may still wait. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The next frame, or undefined once the peer has gone. */
  next(): Promise<Frame | undefined> {
    const frame = this.#ready.shift();
    if (this.#ready.length === 0 && this.#socket.isPaused()) this.#socket.resume();
    if (frame !== undefined || this.#ended) return Promise.resolve(frame);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Queues a frame; resolves when the kernel has it (false: the peer is gone). */
  send(type: string, payload?: Uint8Array): Promise<boolean> {
    if (this.#ended || !this.#socket.writable) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#socket.write(encodeFrame(type, payload), (error) =>
        resolve(error === undefined || error === null),
      );
    });
  }

  /** Resolves when the kernel has all that was queued: only then may somebody write to the descriptor itself. */
  async flushed(): Promise<void> {
    if (this.#ended || this.#socket.writableLength === 0) return;
    await new Promise<void>((resolve) => this.#socket.write(Buffer.alloc(0), () => resolve()));
  }

  /** Closes the connection after what is queued. */
  close(): void {
    this.#socket.end();
  }

  /** Closes the connection at once. */
  destroy(): void {
    this.#socket.destroy();
    this.#end();
  }

  #accept(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    while (this.#buffered >= HEADER_BYTES) {
      const buffer = this.#chunks.length === 1 ? (this.#chunks[0] ?? chunk) : Buffer.concat(this.#chunks);
      this.#chunks = [buffer];
      const length = buffer.readUInt32LE(0);
      if (length > this.#limit) {
        this.destroy();
        return;
      }
      if (buffer.length < HEADER_BYTES + length) return;
      const type = String.fromCharCode(buffer.readUInt32LE(4) & 0x7f);
      this.#deliver({ type, payload: buffer.subarray(HEADER_BYTES, HEADER_BYTES + length) });
      this.#buffered = buffer.length - HEADER_BYTES - length;
      this.#chunks = this.#buffered > 0 ? [buffer.subarray(HEADER_BYTES + length)] : [];
    }
  }

  #deliver(frame: Frame): void {
    const waiter = this.#waiting.shift();
    if (waiter !== undefined) waiter(frame);
    else if (this.#ready.push(frame) >= MOST_WAITING) this.#socket.pause();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const waiter of this.#waiting.splice(0)) waiter(undefined);
  }
}
