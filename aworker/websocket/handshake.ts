import { type IncomingMessage } from 'node:http';
import { RequestError } from '../http/request-body.js';

/** Sixteen bytes in base64. */
const KEY = /^[+/\dA-Za-z]{22}==$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/;
const VERSION = '13';

/** Tells a client what it should have asked for (RFC 9110, 15.5.22; RFC 6455, 4.4). */
const OFFER: Readonly<Record<string, string>> = {
  upgrade: 'websocket',
  connection: 'upgrade',
  'sec-websocket-version': VERSION,
};

/** The client has to ask for WebSocket, of version 13. */
export function upgradeRequired(): RequestError {
  return new RequestError(426, 'This resource speaks WebSocket, version 13', { headers: OFFER });
}

/** The subprotocols that a client offers, best first. */
export function offeredProtocols({ headers }: IncomingMessage): string[] {
  const offered = headers['sec-websocket-protocol'];
  return offered === undefined ? [] : offered.split(',').map((name) => name.trim());
}

/**
 * The client's opening handshake (RFC 6455, 4.2.1), and Host, which Node does not look for in a message that asks for another protocol.
 *
 * @throws RequestError 400 for a handshake that is none, 426 for another version of the protocol
 */
export function checkHandshake(message: IncomingMessage): void {
  const { method, headers } = message;
  if (method !== 'GET') throw new RequestError(400, 'A WebSocket handshake is a GET');
  if (headers.host === undefined) throw new RequestError(400, 'The request has no Host');
  if (headers['sec-websocket-version'] !== VERSION) throw upgradeRequired();
  if (!KEY.test(headers['sec-websocket-key'] ?? ''))
    throw new RequestError(400, 'Sec-WebSocket-Key is not 16 bytes in base64');
  const protocols = offeredProtocols(message);
  if (!protocols.every((name) => TOKEN.test(name)) || new Set(protocols).size < protocols.length)
    throw new RequestError(400, 'Sec-WebSocket-Protocol is not a list of different tokens');
}
