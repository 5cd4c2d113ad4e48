import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { InvokeOptions } from '../../../../cli/operations.js';
import { invokeWorker } from '../../../../daemon/seeds/invoke.js';

const get: InvokeOptions = { id: 'w1', method: 'GET', path: '/', headers: [] };

async function serve(t: Test, listener: RequestListener, path?: string): Promise<string> {
  const server = createServer(listener);
  server.listen(path ?? { host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return path === undefined ? `tcp:127.0.0.1:${(server.address() as AddressInfo).port}` : `unix:${path}`;
}

void t.test('method, path, headers and body go through, and come back, repeated headers too', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'turf-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const echo: RequestListener = (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      response.writeHead(207, 'Odd', ['X-Two', 'a', 'X-Two', 'b']);
      const { method, url, headers } = request;
      response.end(
        JSON.stringify({
          method,
          url,
          one: headers['x-one'],
          host: headers.host,
          body: Buffer.concat(parts).toString(),
        }),
      );
    });
  };
  for (const listen of [await serve(t, echo), await serve(t, echo, join(dir, 's'))]) {
    const result = await invokeWorker(listen, {
      ...get,
      method: 'PUT',
      path: '/a?b=c',
      headers: [['X-One', '1']],
      body: Buffer.from('text'),
    });
    t.match(result, { status: 207, statusText: 'Odd' });
    t.strictSame(
      result.headers.filter(([name]) => name === 'X-Two'),
      [
        ['X-Two', 'a'],
        ['X-Two', 'b'],
      ],
    );
    t.strictSame(JSON.parse(Buffer.from(result.body).toString()), {
      method: 'PUT',
      url: '/a?b=c',
      one: '1',
      host: 'localhost',
      body: 'text',
    });
  }
  const hosted = await invokeWorker(await serve(t, echo), { ...get, headers: [['host', 'example.org']] });
  t.match(Buffer.from(hosted.body).toString(), /"host":"example.org"/);
});

void t.test('a worker that is not there, breaks off, or says too much', async (t) => {
  await t.rejects(invokeWorker('unix:/no/such/socket', get), {
    code: 'TURF_ERR_UNAVAILABLE',
    message: /^worker w1: /,
    operation: 'invoke w1',
  });
  const breaking = await serve(t, (_request, response) => {
    response.writeHead(200, { 'content-length': 10 });
    response.write('12345', () => response.destroy());
  });
  await t.rejects(invokeWorker(breaking, get), { code: 'TURF_ERR_UNAVAILABLE' });
  const flood = await serve(t, (_request, response) => {
    const part = Buffer.alloc(1 << 20);
    const more = (): void => {
      while (response.write(part));
    };
    response.on('drain', more);
    more();
  });
  await t.rejects(invokeWorker(flood, get), { code: 'TURF_ERR_UNAVAILABLE', message: /larger than/ });
});

void t.test('a worker that changes the protocol has not answered', async (t) => {
  for (const head of ['101 Switching Protocols', '200 OK']) {
    const server = createTcpServer((socket) => {
      socket.once('data', () =>
        socket.write(`HTTP/1.1 ${head}\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n`),
      );
      socket.on('error', () => undefined);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    const listen = `tcp:127.0.0.1:${(server.address() as AddressInfo).port}`;
    const method = head.startsWith('101') ? 'GET' : 'CONNECT';
    await t.rejects(invokeWorker(listen, { ...get, method, timeoutMs: 5000 }), {
      code: 'TURF_ERR_UNAVAILABLE',
      message: /^worker w1: changed the protocol/,
    });
  }
});

void t.test('a worker that does not answer, or never ends its answer', async (t) => {
  const silent = await serve(t, () => undefined);
  await t.rejects(invokeWorker(silent, { ...get, timeoutMs: 20 }), {
    code: 'TURF_ERR_TIMEOUT',
    message: 'worker w1: no answer in 20 ms',
  });
  const endless = await serve(t, (_request, response) => void response.write('a'));
  await t.rejects(invokeWorker(endless, { ...get, timeoutMs: 50 }), { code: 'TURF_ERR_TIMEOUT' });
});
