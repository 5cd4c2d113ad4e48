import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import t from 'tap';
import { closing, rawExchange } from '../../../fixtures/aworker/raw-client.js';
import { serve } from '../../../fixtures/aworker/serve.js';

const head = (answer: string): string => answer.slice(0, answer.indexOf('\r\n'));
const body = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4);
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const post = (fields: string, text: string): string =>
  `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n${text}`;

void t.test('messages that HTTP does not allow are refused, and the connection is closed', async (t) => {
  const { port, failures } = await serve(
    t,
    async (request) => new Response(`answered ${await request.text()}`),
    {
      headerBytes: 8192,
      bodyBytes: 100,
    },
  );
  const long = 'a'.repeat(9000);
  const cases: readonly [string, string, number][] = [
    [
      'Content-Length and Transfer-Encoding',
      post('Content-Length: 5\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
      400,
    ],
    ['two Content-Lengths', post('Content-Length: 5\r\nContent-Length: 6', 'hello'), 400],
    ['a list of Content-Lengths', post('Content-Length: 5, 5', 'hello'), 400],
    ['a Content-Length with a sign', post('Content-Length: +5', 'hello'), 400],
    ['bare LF', 'GET / HTTP/1.1\nHost: a\n\n', 400],
    ['bare CR in a value', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n', 400],
    ['NUL in a value', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n', 400],
    ['a folded line', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n', 400],
    ['white space before the colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n', 400],
    ['an unknown transfer coding', post('Transfer-Encoding: xchunked', '0\r\n\r\n'), 501],
    ['gzip as a transfer coding', post('Transfer-Encoding: gzip, chunked', '0\r\n\r\n'), 501],
    [
      'Transfer-Encoding over HTTP/1.0',
      post('Transfer-Encoding: chunked', '0\r\n\r\n').replace('1.1', '1.0'),
      400,
    ],
    ['a chunk size of more than 64 bits', post('Transfer-Encoding: chunked', 'fffffffffffffffff\r\n'), 400],
    ['LF after a chunk size', post('Transfer-Encoding: chunked', '1\nx\r\n0\r\n\r\n'), 400],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
    ['a Host with user information', 'GET / HTTP/1.1\r\nHost: u@a\r\n\r\n', 400],
    ['a Host that is none', 'GET / HTTP/1.1\r\nHost: a b/\r\n\r\n', 400],
    ['a target of another scheme', 'GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['HTTP/2.0 as a version', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505],
    ['HTTP/0.9', 'GET /\r\n\r\n', 505],
    ['a method nobody knows', 'FOO / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['TRACE', 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n', 501],
    ['CONNECT', 'CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n', 501],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00', 400],
    ['a long target', `GET /${long} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
    ['a long header', `GET / HTTP/1.1\r\nHost: a\r\nX: ${long}\r\n\r\n`, 431],
    ['a long body', post('Content-Length: 101', 'x'.repeat(101)), 413],
    [
      'an expectation that is not known',
      `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 200-ok\r\n\r\n`,
      417,
    ],
  ];
  for (const [what, message, status] of cases) {
    const answer = await rawExchange(port, message, GET);
    t.equal(Number(head(answer).split(' ')[1]), status, what);
    t.notMatch(answer, /answered/, `${what}: nothing after it is taken for a request`);
  }
  t.same(failures, []);
});

void t.test('a connection carries many requests, one after the other or all at once', async (t) => {
  const { port } = await serve(t, async (request) => {
    await new Promise((resolve) => setTimeout(resolve, request.url.endsWith('slow') ? 20 : 0));
    return new Response(`<${new URL(request.url).pathname}>`);
  });
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  const answer = await rawExchange(port, get('/slow') + get('/b') + closing(get('/c')));
  t.same(answer.match(/<\/\w+>/g), ['</slow>', '</b>', '</c>']);
  t.equal(answer.match(/HTTP\/1\.1 200 OK/g)?.length, 3);
});

void t.test('HEAD has the headers of GET and no body; null body statuses have neither', async (t) => {
  const { port } = await serve(t, (request) => {
    const status = Number(new URL(request.url).pathname.slice(1));
    return status === 200 ? new Response('four') : new Response(null, { status });
  });
  const ask = (method: string, path: string): Promise<string> =>
    rawExchange(port, `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  t.match(await ask('HEAD', '/200'), /content-length: 4\r\n/i);
  t.equal(body(await ask('HEAD', '/200')), '');
  t.equal(body(await ask('GET', '/200')), 'four');
  for (const status of [204, 304])
    t.notMatch(await ask('GET', `/${status}`), /content-length|transfer-encoding/i);
  t.match(await ask('GET', '/205'), /content-length: 0/i);
});

void t.test(
  '100 Continue is sent when the body is asked for, not before, and not for a body that is refused',
  async (t) => {
    const { port } = await serve(
      t,
      async (request) => new Response(request.url.endsWith('read') ? await request.text() : 'unread'),
      { bodyBytes: 10 },
    );
    const expecting = (path: string, length: number): string =>
      `POST ${path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
    const read = await rawExchange(port, expecting('/read', 4), 'body');
    t.match(read, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
    t.match(read, /connection: close/i);
    t.equal(read.slice(-4), 'body');
    t.match(await rawExchange(port, expecting('/ignore', 4)), /^HTTP\/1\.1 200 OK/);
    t.match(await rawExchange(port, expecting('/read', 11)), /^HTTP\/1\.1 413 /);
  },
);

void t.test('chunked bodies, with extensions and trailers, arrive whole', async (t) => {
  const { port } = await serve(t, (request) => new Response(request.body));
  const chunked = post(
    'Transfer-Encoding: chunked\r\nConnection: close',
    '3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: t\r\n\r\n',
  );
  t.match(await rawExchange(port, chunked), /abc.*de/s);
});

void t.test('a body longer than allowed is refused while it arrives', async (t) => {
  const { port, failures } = await serve(t, async (request) => new Response(await request.text()), {
    bodyBytes: 10,
  });
  const answer = await rawExchange(port, post('Transfer-Encoding: chunked', 'b\r\nhello world\r\n0\r\n\r\n'));
  t.match(head(answer), '413');
  t.same(failures, []);
});

void t.test('a client that leaves aborts request.signal and cancels the body of the answer', async (t) => {
  let aborted: Promise<unknown> | undefined;
  let cancelled: () => void = () => undefined;
  const wasCancelled = new Promise<void>((resolve) => (cancelled = resolve));
  const { port } = await serve(t, (request) => {
    aborted = once(request.signal, 'abort').then(() => request.signal.reason as unknown);
    return new Response(
      new ReadableStream({
        pull: async (controller) => {
          await new Promise((resolve) => setTimeout(resolve, 1));
          controller.enqueue(new Uint8Array(1000));
        },
        cancel: () => cancelled(),
      }),
    );
  });
  const socket = connect(port, '127.0.0.1');
  socket.write(GET);
  await once(socket, 'data');
  socket.destroy();
  t.match(await aborted, { name: 'AbortError' });
  await wasCancelled;
});

void t.test('answers wait for a client that does not read, bodies for a worker that does not', async (t) => {
  let produced = 0;
  const { port } = await serve(t, async (request) => {
    if (request.method === 'POST') {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const body: AsyncIterable<Uint8Array> | null = request.body;
      let length = 0;
      for await (const chunk of body ?? []) length += chunk.byteLength;
      return new Response(String(length));
    }
    return new Response(
      new ReadableStream({
        pull: (controller) => {
          produced += 65_536;
          if (produced > 256 * 1024 * 1024) controller.close();
          else controller.enqueue(new Uint8Array(65_536));
        },
      }),
    );
  });
  const socket = connect(port, '127.0.0.1').pause();
  socket.write(GET);
  let before = -1;
  while (before !== produced || produced === 0) {
    before = produced;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  t.ok(produced < 64 * 1024 * 1024, `${produced} bytes were made for a client that read none`);
  socket.destroy();
  const size = 20 * 1024 * 1024;
  const outgoing = httpRequest({ port, method: 'POST', agent: false });
  outgoing.end(Buffer.alloc(size));
  const [answer] = (await once(outgoing, 'response')) as [AsyncIterable<Buffer>];
  let text = '';
  for await (const chunk of answer) text += chunk.toString();
  t.equal(text, String(size));
});

void t.test('a slow request is answered 408, a slow handler 504, and neither holds up another', async (t) => {
  const { port, failures } = await serve(
    t,
    (request) => (request.url.endsWith('/hang') ? new Promise(() => undefined) : new Response('quick')),
    { headersMs: 300, receiveMs: 300, requestMs: 200 },
  );
  const slow = rawExchange(port, 'GET / HTTP/1.1\r\nHo');
  const silent = rawExchange(port);
  const hanging = rawExchange(port, closing('GET /hang HTTP/1.1\r\nHost: a\r\n\r\n'));
  t.equal(body(await rawExchange(port, closing(GET))), 'quick');
  t.match(head(await slow), '408');
  t.match(await silent, /^$|^HTTP\/1.1 408/);
  t.match(await hanging, /^HTTP\/1\.1 504 .*request [0-9a-f]{16}/s);
  t.match(failures, [{ name: 'TimeoutError' }]);
});

void t.test('a failure is answered with 500 and a name, and with nothing of the worker', async (t) => {
  const { port, failures } = await serve(t, (request) => {
    if (request.url.endsWith('/throw')) throw new Error('secret');
    if (request.url.endsWith('/reject')) return Promise.reject(new Error('secret'));
    if (request.url.endsWith('/text')) return 'secret';
    return undefined;
  });
  const get = (path: string): string =>
    closing(`GET ${path} HTTP/1.1\r\nHost: a\r\nX-Request-Id: r-1\r\n\r\n`);
  for (const path of ['/throw', '/reject', '/text']) {
    const answer = await rawExchange(port, get(path));
    t.match(
      answer,
      /^HTTP\/1\.1 500 .*x-request-id: r-1\r\n.*\r\n\r\nInternal Server Error \(request r-1\)\n$/is,
      path,
    );
    t.notMatch(answer, /secret/);
  }
  t.match(failures, [{ message: 'secret' }, { message: 'secret' }, { name: 'TypeError' }]);
  t.match(head(await rawExchange(port, get('/none'))), '501');
});

void t.test('framing is the server’s: a Content-Length that is not kept ends the connection', async (t) => {
  const stream = (text: string): ReadableStream =>
    new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        controller.enqueue(new TextEncoder().encode(text));
        await new Promise((resolve) => setTimeout(resolve, 1));
        controller.close();
      },
    });
  const { port, failures } = await serve(t, (request) => {
    const headers = { 'content-length': '5', 'transfer-encoding': 'chunked', connection: 'keep-alive, x' };
    if (request.url.endsWith('/short')) return new Response(stream('abc'), { headers });
    if (request.url.endsWith('/long')) return new Response(stream('abcdefgh'), { headers });
    if (request.url.endsWith('/exact')) return new Response(stream('abcde'), { headers });
    return new Response('abc', { headers });
  });
  const get = (path: string): string => closing(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  t.match(await rawExchange(port, get('/plain')), /content-length: 3\r\n/);
  t.match(await rawExchange(port, get('/exact')), /content-length: 5\r\n.*abcde$/s);
  t.notMatch(await rawExchange(port, get('/exact')), /transfer-encoding/i);
  t.equal(failures.length, 0);
  await rawExchange(port, get('/short'));
  t.notMatch(await rawExchange(port, get('/long')), /abcdefgh/);
  t.match(failures, [/as long as its Content-Length/, /as long as its Content-Length/]);
});

void t.test('stopping lets requests finish, closes what is idle, and accepts nothing more', async (t) => {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  let began: () => void = () => undefined;
  const hasBegun = new Promise<void>((resolve) => (began = resolve));
  const { port, server } = await serve(t, async () => {
    began();
    await released;
    return new Response('finished');
  });
  const idle = rawExchange(port);
  const busy = rawExchange(port, GET);
  await hasBegun;
  const stopped = server.stop();
  const refused = connect(port, '127.0.0.1');
  t.match(await once(refused, 'error').catch((error: unknown) => [error]), [{ code: 'ECONNREFUSED' }]);
  t.equal(server.active, 1);
  release();
  t.match(await busy, /connection: close\r\n.*finished$/is);
  await stopped;
  t.equal(await idle, '');
  t.equal(server.active, 0);
});
