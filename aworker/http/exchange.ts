import { type IncomingMessage, type ServerResponse } from 'node:http';
import { requestId } from './errors.js';
import { type ReceivedRequest } from '../views/request-view.js';

/** One request and its answer. */
export class Exchange {
  readonly message: IncomingMessage;
  readonly out: ServerResponse;
  /** performance.now() */
  readonly began: number;
  /** RequestClock.cpuShare() at that time. */
  readonly cpuShare: number;
  request: ReceivedRequest | undefined;
  /** What the handler returned, where that was a promise. */
  promise: Promise<unknown> | undefined;
  answered = false;
  /** The client goes on as WebSocket: nothing more is said in HTTP. */
  switched = false;
  #id: string | undefined;

  constructor(message: IncomingMessage, out: ServerResponse, began: number, cpuShare: number) {
    this.message = message;
    this.out = out;
    this.began = began;
    this.cpuShare = cpuShare;
  }

  get id(): string {
    this.#id ??= requestId(this.message);
    return this.#id;
  }
}
