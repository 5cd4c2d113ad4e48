import { conform, defineHandlers, illegalInvocation, requireArguments, toDomString } from './interface.js';
import { structuredClone } from './message-port.js';

/** Open channels by name. One worker is the whole world that a message reaches. */
const instances = new WeakSet<object>();
const channels = new Map<string, Set<BroadcastChannel>>();
let makeMessageEvent: (data: unknown) => Event = () => {
  throw new Error('The event classes are not loaded yet');
};

/** See deliverAs in message-port.ts. */
export function broadcastAs(make: typeof makeMessageEvent): void {
  makeMessageEvent = make;
}

function brand(value: unknown): BroadcastChannel {
  return typeof value === 'object' && value !== null && instances.has(value)
    ? (value as BroadcastChannel)
    : illegalInvocation();
}

/** HTML, 9.5. */
export class BroadcastChannel extends EventTarget {
  readonly #name: string;
  #closed = false;

  constructor(name: unknown) {
    requireArguments('BroadcastChannel', 1, arguments.length);
    super();
    this.#name = toDomString(name);
    const peers = channels.get(this.#name) ?? new Set();
    channels.set(this.#name, peers.add(this));
    instances.add(this);
  }

  get name(): string {
    return brand(this).#name;
  }

  postMessage(message: unknown): void {
    const channel = brand(this);
    requireArguments('BroadcastChannel.postMessage', 1, arguments.length);
    if (channel.#closed) throw new DOMException('The channel is closed', 'InvalidStateError');
    const data = structuredClone(message);
    for (const peer of channels.get(channel.#name) ?? []) {
      if (peer === channel) continue;
      setTimeout(() => {
        if (!peer.#closed) peer.dispatchEvent(makeMessageEvent(structuredClone(data)));
      }, 0);
    }
  }

  close(): void {
    const channel = brand(this);
    channel.#closed = true;
    const peers = channels.get(channel.#name);
    peers?.delete(channel);
    if (peers?.size === 0) channels.delete(channel.#name);
  }
}
defineHandlers(BroadcastChannel.prototype, ['message', 'messageerror'], brand);
conform(BroadcastChannel);
