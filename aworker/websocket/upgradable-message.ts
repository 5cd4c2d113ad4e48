import { IncomingMessage } from 'node:http';

const ASKED = Symbol('upgrade');

/** Whether a message asks to go on as WebSocket (RFC 9110, 7.8; HTTP/1.0 knows no Upgrade). */
export function asksForWebSocket({ headers, httpVersion }: IncomingMessage): boolean {
  const { upgrade } = headers;
  return (
    httpVersion === '1.1' &&
    upgrade !== undefined &&
    upgrade.split(',').some((protocol) => protocol.trim().toLowerCase() === 'websocket')
  );
}

/**
 * Node gives up a connection as soon as a message has any Upgrade, once somebody listens to `upgrade`. This one asks for WebSocket or for nothing, so
 * that all others (`h2c`) are answered as if they had not asked.
 */
export class UpgradableMessage extends IncomingMessage {
  // Set by the parent's constructor, too: an initialiser would undo that.
  declare private [ASKED]: boolean | null;

  get upgrade(): boolean {
    return this[ASKED] === true && (this.method === 'CONNECT' || asksForWebSocket(this));
  }

  set upgrade(value: boolean | null) {
    this[ASKED] = value;
  }
}
