import { subscribe, unsubscribe } from 'node:diagnostics_channel';

const BEGIN = 'undici:request:create';
const END = ['undici:request:trailers', 'undici:request:error'];

function requestOf(message: unknown): object | undefined {
  if (typeof message !== 'object' || message === null || !('request' in message)) return undefined;
  const { request } = message;
  return typeof request === 'object' && request !== null ? request : undefined;
}

function describe(request: object): string {
  const field = (name: string): string => String(Reflect.get(request, name));
  return `request ${field('method')} ${field('origin')}${field('path')}`;
}

/** Follows the requests of fetch, from its own diagnostics channels, until `stop`. */
export class PendingRequests {
  readonly #pending = new Set<object>();
  readonly #begin = (message: unknown): void => {
    const request = requestOf(message);
    if (request !== undefined) this.#pending.add(request);
  };
  readonly #end = (message: unknown): void => {
    const request = requestOf(message);
    if (request !== undefined) this.#pending.delete(request);
  };

  constructor() {
    subscribe(BEGIN, this.#begin);
    for (const channel of END) subscribe(channel, this.#end);
  }

  /** Those without an end, in words. */
  get texts(): string[] {
    return [...this.#pending].map((request) => `${describe(request)} is pending`);
  }

  stop(): void {
    unsubscribe(BEGIN, this.#begin);
    for (const channel of END) unsubscribe(channel, this.#end);
    this.#pending.clear();
  }
}
