import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Limits } from '../config/limits.js';
import { continueOn, hasBody, RequestBody, RequestError } from './request-body.js';
import { ReceivedRequest } from '../views/request-view.js';

/** Registered names, IPv4 and IPv6 addresses (RFC 3986, 3.2.2), without user information. */
const HOST = /^(?:[\w.~!$&'()*+,;=%-]+|\[[\da-f:.]+\])(?::\d{0,5})?$/i;
const KNOWN_HOSTS = 64;

/** Origins of hosts that were asked for, so that a URL is parsed once for each of them. */
const origins = new Map<string, string>();

function originOf(host: string): string {
  const known = origins.get(host);
  if (known !== undefined) return known;
  if (!HOST.test(host) || !URL.canParse(`http://${host}/`))
    throw new RequestError(400, 'The Host of the request is not valid');
  const { origin } = new URL(`http://${host}/`);
  if (origins.size >= KNOWN_HOSTS) origins.clear();
  origins.set(host, origin);
  return origin;
}

function hostOf(message: IncomingMessage): string {
  const { url = '/', rawHeaders } = message;
  let host: string | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name?.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (host !== undefined) throw new RequestError(400, 'The request has more than one Host');
    host = rawHeaders[i + 1];
  }
  if (url.startsWith('/') || url === '*') return host === undefined || host === '' ? 'localhost' : host;
  // RFC 9112, 3.2.2: the absolute form's authority goes before Host.
  const target = URL.canParse(url) ? new URL(url) : undefined;
  if (target === undefined || !/^https?:$/.test(target.protocol) || target.username + target.password !== '')
    throw new RequestError(400, 'The target of the request is not valid');
  return target.host;
}

/** What the parser lets pass and HTTP does not, or this server does not implement. */
function check(message: IncomingMessage, limits: Limits): void {
  const { httpVersion, headers, method } = message;
  if (httpVersion !== '1.1' && httpVersion !== '1.0')
    throw new RequestError(505, 'This server speaks HTTP/1.1');
  const coding = headers['transfer-encoding'];
  if (coding !== undefined) {
    // RFC 9112, 6.1: faulty framing there, and a coding that nobody can decode here.
    if (httpVersion === '1.0') throw new RequestError(400, 'Transfer-Encoding in an HTTP/1.0 request');
    if (coding.toLowerCase() !== 'chunked')
      throw new RequestError(501, 'Transfer codings other than chunked are not implemented');
  }
  if (method === 'TRACE') throw new RequestError(501, 'TRACE is not implemented');
  if (limits.bodyBytes > 0 && Number(headers['content-length'] ?? 0) > limits.bodyBytes)
    throw new RequestError(413, `The body of the request is larger than ${limits.bodyBytes} bytes`);
}

/**
 * What a worker is told of a message.
 *
 * @param expects whether the client waits for 100 Continue before it sends the body
 * @throws RequestError
 */
export function receive(
  message: IncomingMessage,
  out: ServerResponse,
  limits: Limits,
  expects: boolean,
): ReceivedRequest {
  check(message, limits);
  const origin = originOf(hostOf(message));
  const body = hasBody(message)
    ? new RequestBody(message, limits.bodyBytes, expects ? continueOn(out) : undefined)
    : undefined;
  return new ReceivedRequest(message, origin, body);
}
