import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { LifecycleEvent } from '../../../../cli/lifecycle-event.js';
import type { Operations } from '../../../../cli/operations.js';
import { EventBus } from '../../../../daemon/event-bus.js';
import { buildRestServer } from '../../../../daemon/rest/server.js';
import { fakeOperations } from '../../cli/fake-operations.js';

async function listen(t: Test, overrides: Partial<Operations> = {}) {
  const fake = fakeOperations(overrides);
  const app = buildRestServer({ operations: fake.operations, version: '0.1.0' });
  const directory = mkdtempSync(join(tmpdir(), 'turf-rest-'));
  const path = join(directory, 's');
  await app.listen({ path });
  t.teardown(async () => {
    await app.close();
    rmSync(directory, { recursive: true });
  });
  return { path, app, calls: fake.calls };
}

/** Sends bytes as they are; resolves to all that comes back. */
async function send(path: string, ...lines: string[]): Promise<string> {
  const socket = connect(path);
  let text = '';
  socket.on('data', (part) => (text += String(part)));
  socket.on('error', () => undefined);
  socket.write(lines.join('\r\n'));
  // Not once(): a server that refuses a long body may reset the connection.
  await new Promise((resolve) => socket.on('close', resolve));
  return text;
}

const get = (target: string): string[] => [`GET ${target} HTTP/1.1`, 'Host: x', 'Connection: close', '', ''];
const post = (target: string, body: string, type = 'application/json'): string[] => [
  `POST ${target} HTTP/1.1`,
  ...['Host: x', 'Connection: close', `Content-Type: ${type}`, `Content-Length: ${Buffer.byteLength(body)}`],
  ...['', body],
];

void t.test('what is refused is refused as a problem, and reaches no operation', async (t) => {
  const { path, calls } = await listen(t);
  const nested = (depth: number): string => `{"a":`.repeat(depth) + '1' + '}'.repeat(depth);
  const cases: [name: string, request: string[], status: number, detail: RegExp][] = [
    ['a path that is no URL', get('/v1/containers/%zz'), 400, /not a valid url/],
    ['a path out of the root', get('/v1/containers/..%2f..%2fetc'), 400, /^id: letters, digits/],
    ['a NUL', get('/v1/containers/a%00b'), 400, /^id: letters, digits/],
    ['a line feed', get('/v1/containers/a%0ab'), 400, /^id: letters, digits/],
    ['a part without end', get(`/v1/containers/${'a'.repeat(2000)}`), 414, /more than 1024 characters$/],
    ['JSON that stops', post('/v1/containers', '{"id":'), 400, /^body: is no JSON: .*end of JSON/],
    ['a prototype', post('/v1/containers', '{"__proto__":{"id":"a"}}'), 400, /^body: has a key __proto__/],
    [
      'a prototype of a constructor',
      post('/v1/containers', '{"constructor":{"prototype":{"id":"a"}}}'),
      400,
      /^body: has a key __proto__ or constructor\.prototype/,
    ],
    ['no object', post('/v1/containers', '[]'), 400, /expected object, received array/],
    [
      'no JSON',
      post('/v1/containers', 'id=c1', 'text/plain'),
      415,
      /^content-type: must be application\/json$/,
    ],
    ['too much', post('/v1/containers', `{"id":"${'a'.repeat(1 << 20)}"}`), 413, /too large/],
    [
      'a deep body',
      post('/v1/containers/c1/exec', `{"process":${nested(20_000)}}`),
      400,
      /nested too deeply$/,
    ],
    ['an option that there is not', get('/v1/containers/c1/logs?tail=1&x=2'), 400, /Unrecognized key: "x"/],
    ['an option twice', get('/v1/containers/c1/logs?tail=1&tail=2'), 400, /^tail: .*received array/],
  ];
  for (const [name, request, status, detail] of cases) {
    const [head = '', body = ''] = (await send(path, ...request)).split('\r\n\r\n', 2);
    t.match(head, new RegExp(`^HTTP/1.1 ${status} `), name);
    t.match(head, /^content-type: application\/problem\+json/im, name);
    t.match(JSON.parse(body), { status, code: /^TURF_ERR_(USAGE|INVALID_ID)$/, detail }, name);
  }
  t.strictSame(calls, [], 'nothing was done');
});

void t.test('an empty body is none, whatever its type', async (t) => {
  const { path, calls } = await listen(t);
  t.match(await send(path, ...post('/v1/containers/c1/start', '')), /^HTTP\/1.1 204 /);
  t.match(calls, [{ name: 'start', arguments: ['c1'] }]);
});

void t.test('headers without end and bytes that are no HTTP close the connection', async (t) => {
  const { path } = await listen(t);
  t.match(await send(path, 'GET /v1/health HTTP/1.1', `X: ${'a'.repeat(20_000)}`, '', ''), /^HTTP\/1.1 431 /);
  t.match(await send(path, 'hello', '', ''), /^HTTP\/1.1 400 /);
  const both = ['POST /v1/containers HTTP/1.1', 'Host: x', 'Content-Length: 3', 'Transfer-Encoding: chunked'];
  t.match(await send(path, ...both, '', '0', '', ''), /^HTTP\/1.1 400 /, 'a request in a request');
});

void t.test('a request that never becomes complete does not last for ever', async (t) => {
  const { app } = await listen(t);
  t.equal(app.server.requestTimeout, 60_000);
  t.ok(app.server.headersTimeout <= 60_000);
});

void t.test('a client that does not read its events is let go', async (t) => {
  const bus = new EventBus();
  const { path } = await listen(t, {
    events: (signal?: AbortSignal): AsyncIterable<LifecycleEvent> => bus.stream(signal, 50),
  });
  const socket = connect(path);
  socket.on('error', () => undefined);
  socket.write(get('/v1/events').join('\r\n'));
  await once(socket, 'readable');
  socket.pause();
  const left = once(socket, 'close');
  // More than the kernel's buffers and ours hold.
  for (let sent = 0; bus.listeners > 0 && sent < 20_000; sent += 1) {
    bus.publish({ type: 'create', id: 'c'.repeat(1000) });
    if (sent % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal(bus.listeners, 0);
  socket.resume();
  await left;
});
