/** WebSocket on the server's side: RFC 6455, and the API by which handlers take connections. */
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { type Limits } from '../../../../aworker/config/limits.js';
import { WebSocketPair } from '../../../../aworker/web/web-socket-pair.js';
import {
  closing,
  frame,
  FrameClient,
  type FrameOptions,
  handshake,
  OPCODE,
} from '../../../fixtures/aworker/frame-client.js';
import { rawExchange } from '../../../fixtures/aworker/raw-client.js';
import { serve, type Served } from '../../../fixtures/aworker/serve.js';

/** What user code sees of a server's end. */
interface ServerSocket extends WebSocket {
  accept(): void;
}

function pair(): [client: ServerSocket, server: ServerSocket] {
  return Object.values(new WebSocketPair()) as [ServerSocket, ServerSocket];
}

function switching(webSocket: unknown, init: object = {}): Response {
  return new Response(null, { ...init, status: 101, webSocket } as ResponseInit);
}

interface Connected extends Served {
  readonly client: FrameClient;
  readonly server: Served['server'];
  readonly socket: ServerSocket;
  /** Events of the server's end, in short. */
  readonly events: string[];
  /** Settles with the server's end. */
  readonly closed: Promise<unknown>;
}

function follow(socket: ServerSocket): { events: string[]; closed: Promise<unknown> } {
  const events: string[] = [];
  socket.addEventListener('message', ({ data }) => events.push(`message ${String(data)}`));
  socket.addEventListener('error', () => events.push('error'));
  const closed = new Promise<void>((resolve) => {
    socket.addEventListener('close', ({ code, reason, wasClean }) => {
      events.push(`close ${code} ${reason} ${wasClean ? 'clean' : 'unclean'}`.replace('  ', ' '));
      resolve();
    });
  });
  return { events, closed };
}

/** A client that has shaken hands with a handler which echoes. */
async function connected(
  t: Test,
  limits: Partial<Limits> = {},
  onOpen: (socket: ServerSocket) => void = (socket) =>
    socket.addEventListener('message', ({ data }) => socket.send(data as string)),
): Promise<Connected> {
  const [given, socket] = pair();
  const followed = follow(socket);
  const served = await serve(
    t,
    () => {
      socket.accept();
      onOpen(socket);
      return switching(given);
    },
    limits,
  );
  const client = new FrameClient({ port: served.port, host: '127.0.0.1' });
  t.teardown(() => client.socket.destroy());
  client.send(handshake());
  t.match(await client.head(), /^HTTP\/1\.1 101 /);
  return { ...served, client, socket, ...followed };
}

void t.test('a handshake is answered as RFC 6455 has it', async (t) => {
  const { port, failures } = await serve(t, (request) => {
    const [client, server] = pair();
    server.accept();
    const wanted = request.headers.get('x-want') ?? '';
    return switching(client, {
      headers: {
        'x-own': 'kept',
        upgrade: 'h2c',
        ...(wanted === '' ? {} : { 'Sec-WebSocket-Protocol': wanted }),
      },
    });
  });
  const ask = async (headers: Record<string, string>): Promise<string> => {
    const client = new FrameClient({ port, host: '127.0.0.1' });
    client.send(handshake(headers));
    const head = await client.head();
    client.socket.destroy();
    return head.toLowerCase();
  };
  const plain = await ask({ upgrade: 'WebSocket', connection: 'keep-alive, Upgrade' });
  t.match(plain, /^http\/1\.1 101 switching protocols\r\n/);
  t.match(plain, /\r\nupgrade: websocket\r\n/);
  t.match(plain, /\r\nconnection: upgrade\r\n/);
  t.match(plain, /\r\nsec-websocket-accept: s3pplmbitxaq9kygzzhzrbk\+xoo=\r\n/);
  t.match(plain, /\r\nx-own: kept\r\n/);
  t.notMatch(plain, /h2c|content-length|sec-websocket-protocol|sec-websocket-extensions/);
  t.match(
    await ask({ 'sec-websocket-protocol': 'chat, super', 'x-want': 'super' }),
    /\r\nsec-websocket-protocol: super\r\n/,
  );
  t.notMatch(await ask({ 'sec-websocket-protocol': 'chat' }), /sec-websocket-protocol/, 'none was chosen');
  t.match(await ask({ 'sec-websocket-protocol': 'chat', 'x-want': 'other' }), /^http\/1\.1 500 /);
  t.match(failures, [{ message: /did not offer the subprotocol "other"/ }]);
  t.notMatch(
    await ask({ 'sec-websocket-extensions': 'permessage-deflate' }),
    /sec-websocket-extensions/,
    'extensions are not taken',
  );
});

void t.test('what is no handshake is refused before the handler hears of it', async (t) => {
  let asked = 0;
  const { port } = await serve(t, () => {
    asked++;
    return new Response('handled');
  });
  const cases: readonly [string, Record<string, string>, number][] = [
    ['no key', { 'sec-websocket-key': '' }, 400],
    ['a short key', { 'sec-websocket-key': 'dGhlIHNhbXBsZQ==' }, 400],
    ['a key that is not base64', { 'sec-websocket-key': '!GhlIHNhbXBsZSBub25jZQ==' }, 400],
    ['no version', { 'sec-websocket-version': '' }, 426],
    ['an older version', { 'sec-websocket-version': '8' }, 426],
    ['a version of tomorrow', { 'sec-websocket-version': '14' }, 426],
    ['a protocol twice', { 'sec-websocket-protocol': 'a, a' }, 400],
    ['a protocol that is no token', { 'sec-websocket-protocol': 'a b' }, 400],
    ['no Host', { host: '' }, 400],
  ];
  for (const [what, headers, status] of cases) {
    const answer = await rawExchange(port, handshake(headers));
    t.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), what);
    if (status === 426)
      t.match(answer, /\r\nsec-websocket-version: 13\r\n/i, `${what}: the version is named`);
  }
  t.match(
    await rawExchange(port, handshake({ 'content-length': '0' }, 'POST / HTTP/1.1')),
    /^HTTP\/1\.1 400 /,
    'another method',
  );
  t.equal(asked, 0);
});

void t.test('other upgrades are ignored, and requests that ask for none are no handshakes', async (t) => {
  const { port, failures } = await serve(t, (request) =>
    request.url.endsWith('/socket') ? switching(pair()[0]) : new Response('handled'),
  );
  const last = '\r\nConnection: close\r\n\r\n';
  const h2c = 'Host: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n';
  const client = new FrameClient({ port, host: '127.0.0.1' });
  client.send(`GET / HTTP/1.1\r\n${h2c}\r\n`);
  t.match(await client.head(), /^HTTP\/1\.1 200 /, 'h2c');
  client.send(`POST / HTTP/1.1\r\n${h2c}Content-Length: 4\r\n\r\nbody`);
  t.match(await client.head(), /^handledHTTP\/1\.1 200 /, 'h2c with a body, on the same connection');
  client.socket.destroy();
  const old = handshake({ connection: 'Upgrade, close' }, 'GET / HTTP/1.0');
  t.match(await rawExchange(port, old), /^HTTP\/1\.1 200 .*handled/s, 'HTTP/1.0');
  const answer = await rawExchange(port, `GET /socket HTTP/1.1\r\nHost: a${last}`);
  t.match(answer, /^HTTP\/1\.1 426 /);
  t.match(answer, /\r\nupgrade: websocket\r\n/i);
  t.same(failures, [], "the client's mistake, not the handler's");
});

void t.test('a handler may answer a handshake with anything else', async (t) => {
  const { port } = await serve(t, (request) =>
    request.url.endsWith('/long')
      ? new Response(new Blob(['x'.repeat(3_000_000)]).stream())
      : new Response('not for you', { status: 403 }),
  );
  t.match(await rawExchange(port, handshake()), /^HTTP\/1\.1 403 .*\r\n\r\nnot for you$/s);
  const long = await rawExchange(port, handshake({}, 'GET /long HTTP/1.1'));
  t.ok(long.length > 3_000_000, 'a long body waits for the client');
});

void t.test('requests before the handshake on its connection are answered first', async (t) => {
  const { port } = await serve(t, async (request) => {
    if (request.headers.has('upgrade')) return switching(pair()[0]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    return new Response('first');
  });
  const client = new FrameClient({ port, host: '127.0.0.1' });
  client.send(`GET / HTTP/1.1\r\nHost: a\r\n\r\n${handshake()}`);
  t.match(await client.head(), /^HTTP\/1\.1 200 /);
  t.match(await client.head(), /^firstHTTP\/1\.1 101 /);
  client.socket.destroy();
});

void t.test('messages arrive whole, in order, in both directions', async (t) => {
  const { client, socket, events, closed } = await connected(t);
  socket.binaryType = 'arraybuffer';
  client.send(frame(OPCODE.text, 'grüße'));
  t.equal(await client.next(), 'text grüße');
  client.send(frame(OPCODE.binary, Buffer.from([0, 255])));
  t.match(await client.frame(), { fin: true, opcode: OPCODE.binary, payload: Buffer.from([0, 255]) });
  client.send(
    frame(OPCODE.text, Buffer.from([0xc3]), { fin: false }),
    frame(OPCODE.ping, 'still there?'),
    frame(OPCODE.continuation, '', { fin: false }),
    frame(OPCODE.continuation, Buffer.from([0xbc])),
  );
  t.equal(await client.next(), 'pong still there?', 'between the fragments of a message');
  t.equal(await client.next(), 'text ü', 'a character in two fragments');
  client.send(frame(OPCODE.text, ''), frame(OPCODE.text, 'x'.repeat(70_000)), frame(OPCODE.pong, 'unasked'));
  t.equal(await client.next(), 'text');
  t.equal((await client.frame())?.payload.length, 70_000);
  client.send(frame(OPCODE.close, closing(4001, 'tschüs')));
  t.equal(await client.next(), 'close 4001 tschüs');
  t.equal(await client.next(), 'end', 'the server closes first (RFC 6455, 7.1.1)');
  await closed;
  t.equal(events.at(-1), 'close 4001 tschüs clean');
  t.equal(socket.readyState, 3);
});

void t.test('a close frame without a code is answered by one', async (t) => {
  const { client, events, closed } = await connected(t);
  client.send(frame(OPCODE.close));
  t.equal(await client.next(), 'close');
  await closed;
  t.same(events, ['close 1005 clean']);
});

void t.test('a client that breaks the protocol is told how, and the end hears error and close', async (t) => {
  const limits = { messageBytes: 100 };
  const long = (length: number): FrameOptions => ({ length });
  const cases: readonly [string, Buffer[], number][] = [
    ['a frame without a mask', [frame(OPCODE.text, 'a', { masked: false })], 1002],
    ['a reserved bit', [frame(OPCODE.text, 'a', { reserved: 4 })], 1002],
    ['a reserved opcode', [frame(3, 'a')], 1002],
    ['a reserved control opcode', [frame(11, 'a')], 1002],
    ['a control frame in fragments', [frame(OPCODE.ping, 'a', { fin: false })], 1002],
    ['a control frame of 126 bytes', [frame(OPCODE.ping, 'x'.repeat(126))], 1002],
    ['a continuation of nothing', [frame(OPCODE.continuation, 'a')], 1002],
    ['a message inside another', [frame(OPCODE.text, 'a', { fin: false }), frame(OPCODE.text, 'b')], 1002],
    ['text that is not UTF-8', [frame(OPCODE.text, Buffer.from([0xc3, 0x28]))], 1007],
    ['a surrogate in UTF-8', [frame(OPCODE.text, Buffer.from([0xed, 0xa0, 0x80]))], 1007],
    ['half a character at the end', [frame(OPCODE.text, Buffer.from([0xc3]))], 1007],
    ['a close frame of one byte', [frame(OPCODE.close, Buffer.from([3]))], 1002],
    ['a close code nobody may send', [frame(OPCODE.close, closing(1005))], 1002],
    ['a close code below 1000', [frame(OPCODE.close, closing(999))], 1002],
    ['a reason that is not UTF-8', [frame(OPCODE.close, closing(1000, Buffer.from([0xff])))], 1007],
    ['a message beyond the limit', [frame(OPCODE.text, 'x'.repeat(101))], 1009],
    ['a length beyond the limit', [frame(OPCODE.binary, 'x', long(5_000_000_000))], 1009],
    [
      'fragments beyond the limit',
      [frame(OPCODE.text, 'x'.repeat(60), { fin: false }), frame(OPCODE.continuation, 'x'.repeat(60))],
      1009,
    ],
  ];
  for (const [what, frames, code] of cases) {
    const { client, events, closed, socket } = await connected(t, limits);
    client.send(...frames);
    t.equal(await client.next(), `close ${code}`, what);
    client.socket.end();
    await closed;
    t.same(events, ['error', 'close 1006 unclean'], `${what}: events`);
    t.equal(socket.readyState, 3);
  }
});

void t.test('a client that goes without a word closes its end with 1006', async (t) => {
  const { client, server, events, closed } = await connected(t);
  client.socket.destroy();
  await closed;
  t.same(events, ['close 1006 unclean']);
  t.equal(server.webSockets, 0);
});

void t.test('the server may close, with a code and a reason', async (t) => {
  const { client, socket, events, closed } = await connected(t);
  socket.close(3000, 'enough');
  t.equal(socket.readyState, 2);
  socket.send('too late');
  t.equal(await client.next(), 'close 3000 enough');
  client.send(frame(OPCODE.close, closing(3000, 'enough')));
  await closed;
  t.same(events, ['close 3000 enough clean']);
  t.equal(await client.next(), 'end');
});

void t.test('what was sent before the response follows the handshake', async (t) => {
  const { client } = await connected(t, {}, (socket) => {
    socket.send('one');
    socket.send(new Blob(['two']));
    socket.send(new Uint8Array([51]).buffer);
    socket.send(new DataView(new Uint8Array([0, 52, 0]).buffer, 1, 1));
    socket.send('five');
  });
  const texts = [];
  for (let n = 0; n < 5; n++) texts.push(await client.next());
  t.same(texts, ['text one', 'binary two', 'binary 3', 'binary 4', 'text five']);
});

void t.test('what a client sends with its handshake waits until the end is accepted', async (t) => {
  const [given, socket] = pair();
  const { events } = follow(socket);
  const { port } = await serve(t, () => switching(given));
  const client = new FrameClient({ port, host: '127.0.0.1' });
  client.send(
    Buffer.concat([Buffer.from(handshake()), frame(OPCODE.text, 'early'), frame(OPCODE.text, 'bird')]),
  );
  await client.head();
  t.throws(() => socket.send('x'), { name: 'InvalidStateError' });
  t.throws(() => socket.close(), { name: 'InvalidStateError' });
  t.same(events, []);
  socket.accept();
  socket.accept();
  await once(socket, 'message');
  if (events.length < 2) await once(socket, 'message');
  t.same(events, ['message early', 'message bird']);
  client.socket.destroy();
});

void t.test('an end is given away once, and unused', async (t) => {
  const [client, server] = pair();
  const [accepted] = pair();
  accepted.accept();
  let answer = switching(client);
  const { port, failures } = await serve(t, () => answer);
  const first = new FrameClient({ port, host: '127.0.0.1' });
  first.send(handshake());
  t.match(await first.head(), /^HTTP\/1\.1 101 /);
  t.throws(() => client.accept(), TypeError);
  t.match(await rawExchange(port, handshake()), /^HTTP\/1\.1 500 /, 'twice');
  answer = switching(accepted);
  t.match(await rawExchange(port, handshake()), /^HTTP\/1\.1 500 /, 'accepted');
  t.match(failures, [{ name: 'TypeError' }, { name: 'TypeError' }]);
  server.accept();
  first.socket.destroy();
});

void t.test('a client that does not read is not read from, and loses nothing', async (t) => {
  const { client, server } = await connected(t);
  const message = 'm'.repeat(64 * 1024);
  client.socket.pause();
  const COUNT = 400;
  for (let n = 0; n < COUNT; n++) client.send(frame(OPCODE.text, message));
  // 25 MiB do not fit into what the kernel and both sides buffer.
  await new Promise((resolve) => setTimeout(resolve, 200));
  t.ok(client.socket.writableLength > 1_000_000, 'the client has to wait');
  t.equal(server.webSockets, 1);
  client.socket.resume();
  for (let n = 0; n < COUNT; n++) {
    const { payload } = (await client.frame()) ?? {};
    if (payload?.length !== message.length) t.fail(`message ${n} is whole`);
  }
});

void t.test('a client that is sent more than it takes is given up', async (t) => {
  const { client, socket, events, closed } = await connected(t, { backlogBytes: 1_000_000 });
  client.socket.pause();
  while (socket.readyState === 1 && socket.bufferedAmount < 2_000_000) {
    socket.send(new Uint8Array(500_000));
    await new Promise((resolve) => setImmediate(resolve));
    if (events.length > 0) break;
  }
  await closed;
  t.same(events, ['error', 'close 1006 unclean']);
});

void t.test('a silent client is pinged, and given up when it does not answer', async (t) => {
  const answering = await connected(t, { pingMs: 60 });
  for (let n = 0; n < 3; n++) {
    t.equal(await answering.client.next(), 'ping');
    answering.client.send(frame(OPCODE.pong));
  }
  t.same(answering.events, []);
  const { client, events, closed } = await connected(t, { pingMs: 60 });
  t.equal(await client.next(), 'ping');
  await closed;
  t.same(events, ['close 1006 unclean']);
});

void t.test('a server that stops tells its clients to go, and waits for them', async (t) => {
  const { client, server, events, closed } = await connected(t);
  t.same([server.active, server.webSockets], [0, 1], 'an open WebSocket is no request');
  let stopped = false;
  const stop = server.stop().then(() => (stopped = true));
  t.equal(await client.next(), 'close 1001');
  t.equal(stopped, false);
  client.send(frame(OPCODE.close, closing(1001)));
  await stop;
  await closed;
  t.same(events, ['close 1001 clean']);
});

void t.test('a server that dies says so', async (t) => {
  const { client, server } = await connected(t);
  server.lastWords();
  t.equal(await client.next(), 'close 1011');
});

void t.test('two ends of one worker speak with each other', async (t) => {
  const [one, other] = pair();
  const ears = [follow(one), follow(other)] as const;
  one.accept();
  one.send('before');
  t.equal(one.readyState, 1);
  other.accept();
  other.send('back');
  await Promise.all([once(one, 'message'), once(other, 'message')]);
  one.close(1000, 'done');
  await Promise.all(ears.map(({ closed }) => closed));
  t.same(ears[0].events, ['message back', 'close 1000 done clean']);
  t.same(ears[1].events, ['message before', 'close 1000 done clean']);
});

void t.test('the ends are WebSockets', async (t) => {
  const [one, other] = pair();
  t.ok(one instanceof EventTarget);
  t.equal(Object.prototype.toString.call(one), '[object WebSocket]');
  t.same(
    [one.url, one.protocol, one.extensions, one.binaryType, one.bufferedAmount],
    ['', '', '', 'blob', 0],
  );
  t.same([one.OPEN, one.readyState], [1, 1]);
  other.accept();
  Reflect.set(other, 'binaryType', 'text');
  t.equal(other.binaryType, 'blob');
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 2000, 5000])
    t.throws(() => other.close(code), { name: 'InvalidAccessError' }, `close code ${code}`);
  t.throws(() => other.close(1000, 'ü'.repeat(62)), { name: 'SyntaxError' });
  const { send } = Object.getPrototypeOf(other) as { send: (this: unknown, ...args: unknown[]) => void };
  t.throws(() => Reflect.apply(send, other, []), TypeError);
  t.throws(() => Reflect.apply(send, new EventTarget(), ['x']), TypeError);
  let seen: unknown;
  one.onmessage = ({ data }): void => {
    seen = data;
  };
  one.accept();
  other.send(new Uint8Array([104, 105]));
  await once(one, 'message');
  t.ok(seen instanceof Blob);
  t.equal(await (seen as Blob).text(), 'hi');
});

void t.test('a response with a WebSocket is a Response with limits', async (t) => {
  const [client] = pair();
  const made = switching(client, { headers: { 'X-A': 'b' } });
  t.same([made.status, made.ok, made.body, made.headers.get('x-a')], [101, false, null, 'b']);
  t.equal(await made.text(), '');
  t.throws(() => made.clone(), TypeError);
  t.throws(() => new Response(null, { webSocket: client } as ResponseInit), RangeError, 'status 200');
  t.throws(() => new Response('x', { status: 101, webSocket: client } as ResponseInit), TypeError, 'a body');
  t.throws(() => switching(new EventTarget()), TypeError, 'something else');
  t.throws(() => new Response(null, { status: 101 }), RangeError, 'without a socket');
  t.equal(new Response('x', { webSocket: null } as ResponseInit).status, 200);
});
