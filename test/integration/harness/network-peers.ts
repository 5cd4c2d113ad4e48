import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import type { Test } from 'tap';
import { temporary } from './bundle.js';

const FRAMES = 4;

/** What a probe's `visit` does with the addresses of NetworkPeers.urls. */
export const VISIT = `
await fetch(peers.hello).catch(() => undefined);
await (await fetch(peers.http)).text();
const socket = new WebSocket(peers.socket);
await new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = reject; });
for (let i = 0; i < ${FRAMES}; i++) socket.send('x');
const closed = new Promise((resolve) => (socket.onclose = resolve));
socket.close();
await closed;
const secure = () => new Promise((resolve, reject) => {
  const options = { rejectUnauthorized: false, headers: { connection: 'close' } };
  https.get(peers.https, options, async (response) => { let text = ''; for await (const part of response) text += part; resolve(text); }).on('error', reject);
});
const place = await fetch(peers.named).then((response) => response.text(), () => 'nowhere');
return { place, sessions: [await secure(), await secure()] };
`;

/** A name of the hosts file that workers have and seeds have not. */
const NAME = 'named.test';

/** Servers of the host that note what workers in its network show of themselves. */
export class NetworkPeers {
  /** Of each TLS handshake: the 32 random bytes that a client says first, and the id of its session (RFC 8446, section 4.1.2). */
  readonly randoms: string[] = [];
  readonly sessionIds: string[] = [];
  /** HTTP connections. */
  readonly connections = new Set<Socket>();
  /** Of each WebSocket: the masks of its first frames. */
  readonly masks: string[] = [];
  readonly #hosts: string;
  #urls: Readonly<Record<string, string>> = {};

  private constructor(t: Test) {
    this.#hosts = join(temporary(t), 'hosts');
    writeFileSync(this.#hosts, `127.0.0.1 localhost\n127.0.0.2 ${NAME}\n`);
  }

  static async start(t: Test): Promise<NetworkPeers> {
    const peers = new NetworkPeers(t);
    const hellos = createTcpServer((socket) => peers.#hear(socket));
    const http = createServer((request, out) => {
      peers.connections.add(request.socket);
      out.end('kept');
    });
    http.on('upgrade', (request: IncomingMessage, socket: Socket) => {
      peers.connections.add(socket);
      peers.#upgrade(request, socket);
    });
    const https = createHttpsServer(certificate(t), ({ socket }, out) =>
      out.end(socket instanceof TLSSocket && socket.isSessionReused() ? 'resumed' : 'new'),
    );
    const named = createServer((_, out) => out.setHeader('connection', 'close').end('found'));
    const address = `127.0.0.1:${await listen(t, http)}`;
    peers.#urls = {
      hello: `https://127.0.0.1:${await listen(t, hellos)}/`,
      http: `http://${address}/`,
      socket: `ws://${address}/`,
      https: `https://127.0.0.1:${await listen(t, https)}/`,
      named: `http://${NAME}:${await listen(t, named, '127.0.0.2')}/`,
    };
    t.teardown(() => http.closeAllConnections());
    return peers;
  }

  get urls(): Readonly<Record<string, string>> {
    return this.#urls;
  }

  /** What runs a daemon whose mount namespace has a hosts file with that name. */
  get under(): readonly string[] {
    return ['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"', this.#hosts];
  }

  /** Forgets what was noted. */
  reset(): void {
    this.connections.clear();
    for (const noted of [this.randoms, this.sessionIds, this.masks]) noted.length = 0;
  }

  #hear(socket: Socket): void {
    socket.on('error', () => undefined);
    socket.once('data', (data) => {
      // Record header 5, handshake header 4, version 2; then the random, and the session id with its length before it.
      this.randoms.push(data.subarray(11, 43).toString('hex'));
      this.sessionIds.push(data.subarray(44, 44 + (data[43] ?? 0)).toString('hex'));
      socket.destroy();
    });
  }

  /** RFC 6455: small frames of a client are two bytes, four of the mask, then the content. */
  #upgrade(request: IncomingMessage, socket: Socket): void {
    const key = `${request.headers['sec-websocket-key'] ?? ''}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash('sha1').update(key).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
    );
    let bytes = Buffer.alloc(0);
    const masks: string[] = [];
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => {
      bytes = Buffer.concat([bytes, data]);
      for (;;) {
        const size = 6 + ((bytes[1] ?? 0) & 0x7f);
        if (bytes.length < 6 || bytes.length < size) return;
        if (((bytes[0] ?? 0) & 15) === 8) {
          this.masks.push(masks.join(''));
          socket.end(Buffer.from([0x88, 0]));
          return;
        }
        masks.push(bytes.subarray(2, 6).toString('hex'));
        bytes = bytes.subarray(size);
      }
    });
  }
}

async function listen(t: Test, server: Server, host = '127.0.0.1'): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

function certificate(t: Test): { key: Buffer; cert: Buffer } {
  const dir = temporary(t);
  const [key, cert] = [join(dir, 'key'), join(dir, 'cert')];
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-days', '2'];
  execFileSync('openssl', [...args, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}
