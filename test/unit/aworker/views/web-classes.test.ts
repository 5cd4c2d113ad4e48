import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import t from 'tap';
import { DEFAULT_LIMITS } from '../../../../aworker/config/limits.js';
import { WorkerServer } from '../../../../aworker/http/server.js';
import { installWebClasses } from '../../../../aworker/views/web-classes.js';

/** name, length, kind and flags of every member of a class. */
function shape(of: { readonly prototype: object }): unknown {
  return [of, of.prototype].map((owner) =>
    Reflect.ownKeys(owner).map((key) => {
      const known: object = Object.getOwnPropertyDescriptor(owner, key) ?? {};
      const described = Object.entries(known).map(([field, value]: [string, unknown]) =>
        typeof value === 'function'
          ? [field, value.name, value.length]
          : [field, typeof value, String(value)],
      );
      return key === 'constructor' ? key : [key, described];
    }),
  );
}

const before = [Request, Response, Headers].map(shape);
const natives = [Request, Response, Headers];
const classes = installWebClasses();

void t.test('the classes look as they looked', (t) => {
  t.same(
    [Request, Response, Headers].map(shape).map((members) => JSON.stringify(members, sortedKeys)),
    before.map((members) => JSON.stringify(members, sortedKeys)),
  );
  t.equal(Reflect.get(Headers.prototype, 'entries'), Reflect.get(Headers.prototype, Symbol.iterator));
  t.not(Request, natives[0]);
  t.equal(Request.prototype, natives[0]?.prototype);
  t.throws((): unknown => Reflect.apply(Response, undefined, []), TypeError);
  t.ok(Object.getPrototypeOf(new Response('x')) === Response.prototype);
  t.same(Object.getOwnPropertyNames(new Response('x')), []);
  t.end();
});

function sortedKeys(_key: string, value: unknown): unknown {
  return typeof value === 'symbol' ? String(value) : value;
}

void t.test('a response of text or bytes is a Response in every respect', async (t) => {
  const made = new Response('h\u00e4', {
    status: 201,
    statusText: 'Made',
    headers: { 'X-A': 'b', 'set-cookie': 'c=d' },
  });
  t.ok(classes.response.plain(made), 'nothing was built for it yet');
  t.ok(made instanceof Response);
  t.same(
    [made.status, made.ok, made.statusText, made.type, made.url, made.redirected, made.bodyUsed],
    [201, true, 'Made', 'default', '', false, false],
  );
  t.equal(made.headers, made.headers);
  made.headers.set('x-late', 'e');
  t.same(
    [...made.clone().headers],
    [
      ['content-type', 'text/plain;charset=UTF-8'],
      ['set-cookie', 'c=d'],
      ['x-a', 'b'],
      ['x-late', 'e'],
    ],
  );
  t.equal(await made.clone().text(), 'hä');
  t.ok(made.body instanceof ReadableStream);
  t.equal(await made.text(), 'hä');
  t.equal(made.bodyUsed, true);
  await t.rejects(made.text(), TypeError);
  t.equal(await (await new Response('x', { headers: { 'content-type': 'a/b' } }).blob()).text(), 'x');
  t.equal(new Response(null).body, null);
  const bytes = new Uint8Array([1, 2]);
  const copy = new Response(bytes);
  bytes[0] = 9;
  t.same(new Uint8Array(await copy.arrayBuffer()), new Uint8Array([1, 2]));
});

void t.test('a response that cannot be is refused as before', (t) => {
  for (const status of [0, 99, 199, 600, 1.5e9]) t.throws(() => new Response('', { status }), RangeError);
  t.throws(() => new Response('x', { status: 204 }), TypeError);
  t.throws(() => new Response('', { statusText: 'a\nb' }), TypeError);
  t.throws(() => new Response('', { headers: { 'a b': 'c' } }), TypeError);
  t.throws(() => new Response('', { headers: { a: 'b\nc' } }), TypeError);
  t.throws(() => new Response('', { headers: { a: '\u0100' } }), TypeError);
  t.throws(() => Response.json(Symbol()), TypeError);
  t.throws(() => Response.json(1n), TypeError);
  t.throws(() => Reflect.get(Response.prototype, 'status', {}), TypeError);
  t.equal(new Response('', { headers: { a: ' b\t' } }).headers.get('a'), 'b');
  t.equal(new Response('', { headers: { A: '1', a: '2' } }).headers.get('a'), '1, 2');
  t.end();
});

void t.test('every kind of init and body', async (t) => {
  const headers = new Headers([
    ['set-cookie', 'a'],
    ['set-cookie', 'b'],
  ]);
  t.same(new Response('', { headers }).headers.getSetCookie(), ['a', 'b']);
  t.same(new Response('', { headers: [['a', 'b']] }).headers.get('a'), 'b');
  t.equal(await new Response(new URLSearchParams('a=b')).text(), 'a=b');
  t.equal(await new Response(new Blob(['x'])).text(), 'x');
  t.equal(await Response.json({ a: 1 }, { headers, status: 202 }).text(), '{"a":1}');
  t.equal(Response.json(1).headers.get('content-type'), 'application/json');
  t.equal(Response.json(1, { headers: { 'Content-Type': 'a/b' } }).headers.get('content-type'), 'a/b');
  t.equal(Response.error().type, 'error');
  t.equal(Response.redirect('http://a/', 302).status, 302);
  class Own extends Response {
    readonly own = true;
  }
  t.match([new Own('x').own, await new Own('x').text(), new Own('x') instanceof Response], [true, 'x', true]);
});

void t.test('a received request is a Request in every respect', async (t) => {
  const results = new Map<string, unknown>();
  const looks: Record<string, (request: Request) => unknown> = {
    fields: (request) => [
      request instanceof Request,
      Object.getPrototypeOf(request) === Request.prototype,
      request.method,
      new URL(request.url).pathname,
      request.headers.get('X-A'),
      request.headers.has('x-none'),
      request.headers.get('x-none'),
      request.mode,
      request.redirect,
      request.signal.aborted,
      request.bodyUsed,
      request.signal === request.signal,
      request.headers === request.headers,
    ],
    twice: async (request) => [
      await request.text(),
      request.bodyUsed,
      await request.text().catch((error: unknown) => error),
    ],
    json: (request) => request.json().catch((error: unknown) => error),
    clone: async (request) => [await request.clone().text(), await request.text()],
    stream: async (request) => [await new Response(request.body).text(), request.bodyUsed],
    wrapped: async (request) => {
      const wrapped = new Request(request, { headers: request.headers });
      return [await wrapped.text(), wrapped.headers.get('x-a'), request.bodyUsed];
    },
    late: async (request) => {
      await request.text();
      return [request.bodyUsed, request.clone.bind(request)];
    },
    immutable: (request) => {
      request.headers.set('a', 'b');
    },
    copied: (request) => [...new Headers(request.headers)].filter(([name]) => name === 'x-a'),
    each: (request) => {
      const names: string[] = [];
      request.headers.forEach((_value, name, owner) => names.push(`${name} ${owner === request.headers}`));
      return names.filter((name) => name.startsWith('x-a'));
    },
    badName: (request) => request.headers.get('a b'),
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- it is what is tested
    form: async (request) => [...(await request.formData())],
    buffer: async (request) => (await request.arrayBuffer()).byteLength,
    byob: async (request) => {
      const reader = request.body?.getReader({ mode: 'byob' });
      return (await reader?.read(new Uint8Array(2)))?.value;
    },
  };
  const server = new WorkerServer(
    async (request) => {
      const name = new URL(request.url).pathname.slice(1);
      results.set(
        name,
        await Promise.resolve(request)
          .then(looks[name])
          .catch((error: unknown) => error),
      );
      return new Response('');
    },
    classes,
    (_id, error) => results.set('failure', error),
  );
  server.limit(DEFAULT_LIMITS);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (const name of Object.keys(looks)) {
    const body = name === 'form' ? new URLSearchParams('a=b') : '\ufeffbody';
    await fetch(`http://127.0.0.1:${port}/${name}`, { method: 'POST', body, headers: { 'x-a': 'v' } });
  }
  server.close();
  t.same(results.get('fields'), [
    true,
    true,
    'POST',
    '/fields',
    'v',
    false,
    null,
    'cors',
    'follow',
    false,
    false,
    true,
    true,
  ]);
  t.match(results.get('twice'), ['body', true, { name: 'TypeError' }]);
  t.match(results.get('json'), { name: 'SyntaxError' });
  t.same(results.get('clone'), ['body', 'body']);
  t.same(results.get('stream'), ['body', true]);
  t.same(results.get('wrapped'), ['body', 'v', true]);
  t.match(results.get('immutable'), { name: 'TypeError' });
  t.same(results.get('copied'), [['x-a', 'v']]);
  t.same(results.get('each'), ['x-a true']);
  t.match(results.get('badName'), { name: 'TypeError' });
  t.same(results.get('form'), [['a', 'b']]);
  t.equal(results.get('buffer'), 7);
  t.same(results.get('byob'), new Uint8Array([0xef, 0xbb]));
  t.notOk(results.has('failure'));
});

void t.test('fetch takes received requests, as proxies pass them on', async (t) => {
  const origin = createServer((message, out) => {
    out.setHeader('content-encoding', 'identity');
    message.pipe(out);
  }).listen(0, '127.0.0.1');
  await once(origin, 'listening');
  const target = (origin.address() as AddressInfo).port;
  const proxy = new WorkerServer(
    (request) => fetch(`http://127.0.0.1:${target}/`, request),
    classes,
    () => undefined,
  );
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'through' });
  t.equal(await answer.text(), 'through');
  t.equal(answer.headers.get('content-encoding'), null);
  for (const server of [origin, proxy]) {
    server.close();
    server.closeAllConnections();
  }
});
