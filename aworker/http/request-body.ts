import { Buffer } from 'node:buffer';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { ReadableStream } from 'node:stream/web';

/** A request that HTTP does not allow, or that this worker does not take: answered with its status, whoever catches it. */
export class RequestError extends Error {
  readonly status: number;
  /** What the answer has besides: name → value, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    { headers = {}, ...options }: ErrorOptions & { headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message, options);
    this.status = status;
    this.headers = headers;
  }
}

function lost(): TypeError {
  return new TypeError('The client closed the connection');
}

/** The body of a message on its way in. It is read once: as a whole or as a stream. */
export class RequestBody {
  readonly #message: IncomingMessage;
  readonly #limit: number;
  #beforeReading: (() => void) | undefined;

  /** @param limit bytes; 0 for none. @param beforeReading called once, before the first byte is asked for */
  constructor(message: IncomingMessage, limit: number, beforeReading?: () => void) {
    this.#message = message;
    this.#limit = limit;
    this.#beforeReading = beforeReading;
  }

  #begin(): IncomingMessage {
    this.#beforeReading?.();
    this.#beforeReading = undefined;
    return this.#message;
  }

  /** Set once more was received than the limit allows: the answer is 413 then. */
  exceeded: RequestError | undefined;

  #tooLarge(length: number): RequestError | undefined {
    if (this.#limit === 0 || length <= this.#limit) return undefined;
    this.exceeded ??= new RequestError(413, `The body of the request is larger than ${this.#limit} bytes`);
    return this.exceeded;
  }

  /** All of it, as `read` understands it. @throws TypeError when the client goes away, RequestError beyond the limit, what `read` throws */
  collect<T>(read: (bytes: Buffer) => T): Promise<T> {
    const message = this.#begin();
    return new Promise((resolve, reject) => {
      if (message.destroyed && !message.complete) {
        reject(lost());
        return;
      }
      let length = 0;
      let first: Uint8Array | undefined;
      let chunks: Uint8Array[] | undefined;
      let ended = false;
      message.on('data', (chunk: Uint8Array) => {
        length += chunk.byteLength;
        const error = this.#tooLarge(length);
        if (error !== undefined) reject(error);
        else if (first === undefined) first = chunk;
        else (chunks ??= [first]).push(chunk);
      });
      message.on('end', () => {
        ended = true;
        try {
          if (chunks === undefined && Buffer.isBuffer(first)) resolve(read(first));
          else resolve(read(Buffer.concat(chunks ?? [], length)));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
      // An `error`, of which Node tells those only who ask, is followed by it.
      message.on('close', () => {
        if (!ended) reject(lost());
      });
    });
  }

  /** A byte stream that stops reading from the socket while nobody takes from it. */
  stream(): ReadableStream<Uint8Array> {
    const message = this.#message;
    let open = true;
    let length = 0;
    return new ReadableStream({
      type: 'bytes',
      start: (controller) => {
        const fail = (error: Error): void => {
          if (open) controller.error(error);
          open = false;
        };
        message.on('data', (chunk: Uint8Array) => {
          if (!open) return;
          length += chunk.byteLength;
          const error = this.#tooLarge(length);
          if (error !== undefined) {
            fail(error);
            return;
          }
          controller.enqueue(new Uint8Array(chunk));
          if ((controller.desiredSize ?? 0) <= 0) message.pause();
        });
        message.on('end', () => {
          if (!open) return;
          open = false;
          controller.close();
          // A pending BYOB read ends with the stream (Streams, 4.7.3: close() needs its request answered).
          controller.byobRequest?.respond(0);
        });
        message.on('close', () => {
          if (open) fail(lost());
        });
        message.pause();
        if (message.destroyed && !message.complete) fail(lost());
      },
      pull: () => {
        this.#begin();
        message.resume();
      },
      cancel: () => {
        open = false;
        message.resume();
      },
    });
  }
}

/** Whether a message has a body (RFC 9112, 6.3). Fetch has none for GET and HEAD. */
export function hasBody(message: IncomingMessage): boolean {
  const { method, headers } = message;
  if (method === 'GET' || method === 'HEAD') return false;
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/** Sends 100 Continue before the first byte of the body is read (RFC 9110, 10.1.1). */
export function continueOn(out: ServerResponse): () => void {
  return () => {
    if (!out.headersSent) out.writeContinue();
  };
}
