import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { askSocket } from '../../fixtures/aworker/ask-socket.js';
import { closing, frame, FrameClient, handshake, OPCODE } from '../../fixtures/aworker/frame-client.js';

const MAIN = fileURLToPath(new URL('../../../aworker/main.js', import.meta.url));

function aworker(...args: string[]): ChildProcess {
  // env -i: the test runner adds its own NODE_OPTIONS to every child
  return spawn('/usr/bin/env', ['-i', process.execPath, MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function ended(child: ChildProcess): Promise<{ code: unknown; out: string; err: string }> {
  let out = '';
  let err = '';
  child.stdout?.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr?.on('data', (text: Buffer) => (err += text.toString()));
  const [status, signal] = (await once(child, 'close')) as unknown[];
  // As a shell has it.
  const code = signal === 'SIGABRT' ? 128 + constants.signals.SIGABRT : status;
  return { code, out, err };
}

void t.test('help, version and wrong usage', async (t) => {
  t.match(await ended(aworker('--help')), { code: 0, out: /^Usage: aworker SCRIPT/ });
  t.match(await ended(aworker('--version')), { code: 0, out: /^aworker \d/ });
  t.match(await ended(aworker()), { code: 2, err: /which script/ });
  t.match(await ended(aworker('/nowhere.js')), { code: 2, err: /does not exist/ });
  t.match(await ended(aworker(MAIN, '--node-module', 'fs')), {
    code: 2,
    err: /--node-module fs: not a module/,
  });
});

void t.test('options of the engine: profiles, reports, a debugger', async (t) => {
  const directory = t.testdir({ out: {}, 'index.js': 'setTimeout(() => { throw new Error("late") }, 50);' });
  const out = join(directory, 'out');
  const child = aworker(
    ...[join(directory, 'index.js'), '--listen', 'tcp:127.0.0.1:0', '--inspect=127.0.0.1:0'],
    ...['--cpu-prof', `--cpu-prof-dir=${out}`, '--heap-prof', `--heap-prof-dir=${out}`],
    ...['--report-uncaught-exception', `--report-directory=${out}`],
  );
  t.match(await ended(child), { code: 1, err: /Debugger listening on ws:[^]*Uncaught Error: late/ });
  const files = readdirSync(out).sort();
  t.match(files, [/^CPU\..*\.cpuprofile$/, /^Heap\..*\.heapprofile$/, /^report\..*\.json$/]);
  const report: unknown = JSON.parse(readFileSync(join(out, files[2] ?? ''), 'utf8'));
  t.match(report, { javascriptStack: { message: 'Error: late' } });
});

void t.test('what was started is the worker: it dies with a SIGKILL', async (t) => {
  const directory = t.testdir({ 'index.js': 'console.log(aworker.pid); setInterval(() => 0, 1000);' });
  const child = aworker(join(directory, 'index.js'), '--listen', 'tcp:127.0.0.1:0');
  const [text] = (await once(child.stdout ?? child, 'data')) as unknown[];
  t.equal(Number(String(text).split('\n')[0]), child.pid);
  child.kill('SIGKILL');
  t.match(await once(child, 'close'), [null, 'SIGKILL']);
});

void t.test('a script that fails ends with status 1 and its error on stderr', async (t) => {
  const directory = t.testdir({ 'bad.js': 'nonsense(', 'throws.js': 'throw new Error("early")' });
  t.match(await ended(aworker(join(directory, 'bad.js'))), {
    code: 1,
    err: /bad\.js:1\nnonsense\(\n[^]*SyntaxError/,
  });
  t.match(await ended(aworker(join(directory, 'throws.js'))), { code: 1, err: /Uncaught Error: early/ });
});

void t.test('a worker serves requests, prints to stdout, and ends by SIGTERM after uninstall', async (t) => {
  const directory = t.testdir({
    'index.js': `
      import data from './data.json' with { type: 'json' };
      addEventListener('uninstall', (event) => event.waitUntil(Promise.resolve().then(() => console.log('bye'))));
      export default { fetch: async (request, env) => Response.json({
        data, env, body: await request.text(), node: [typeof process, typeof Buffer, typeof require, typeof setImmediate],
        refused: await import('node:fs').catch((error) => error.name), outside: await import('../x.js').catch((error) => error.name),
      }) };`,
    'data.json': '{"a":1}',
  });
  // a path below the test's own directory would be too long for a socket
  const temporary = mkdtempSync(join(tmpdir(), 'aworker-'));
  t.teardown(() => rmSync(temporary, { recursive: true }));
  const socket = join(temporary, 'w.sock');
  const child = aworker(join(directory, 'index.js'), '--listen', `unix:${socket}`, '--env', 'K=V=1');
  t.teardown(() => child.kill('SIGKILL'));
  const end = ended(child);
  await new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()));
  t.same(JSON.parse((await askSocket(socket, '/', 'hello')).body), {
    data: { a: 1 },
    env: { K: 'V=1' },
    body: 'hello',
    node: ['undefined', 'undefined', 'undefined', 'undefined'],
    refused: 'TypeError',
    outside: 'TypeError',
  });
  child.kill('SIGTERM');
  t.same(await end, { code: 143, out: `listening on unix:${socket}\nbye\n`, err: '' });
});

/** Starts a worker on a socket of its own; resolves when it listens. */
async function serving(
  t: Test,
  code: string,
  ...args: string[]
): Promise<{ child: ChildProcess; socket: string; end: ReturnType<typeof ended> }> {
  const temporary = mkdtempSync(join(tmpdir(), 'aworker-'));
  t.teardown(() => rmSync(temporary, { recursive: true }));
  writeFileSync(join(temporary, 'index.js'), code);
  const socket = join(temporary, 'w.sock');
  const child = aworker(join(temporary, 'index.js'), '--listen', `unix:${socket}`, ...args);
  t.teardown(() => child.kill('SIGKILL'));
  const end = ended(child);
  await new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()));
  return { child, socket, end };
}

void t.test('SIGTERM lets requests and waitUntil finish before uninstall', async (t) => {
  const { child, socket, end } = await serving(
    t,
    `addEventListener('uninstall', () => console.log('uninstall'));
     const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
     export default { async fetch(request, env, ctx) {
       console.log('began');
       ctx.waitUntil(later(300).then(() => console.log('waited')));
       await later(150);
       return new Response('finished');
     } };`,
  );
  const answer = askSocket(socket, '/');
  await once(child.stdout ?? child, 'data');
  child.kill('SIGTERM');
  t.match(await answer, { status: 200, body: 'finished' });
  t.match(await end, { code: 143, out: /began\nwaited\nuninstall\n$/, err: '' });
});

void t.test('the grace period ends a worker that does not end', async (t) => {
  const { child, end } = await serving(
    t,
    `addEventListener('uninstall', (event) => event.waitUntil(new Promise(() => {}))); onfetch = () => {};`,
    '--limit',
    'graceMs=100',
  );
  child.kill('SIGTERM');
  t.match(await end, { code: 143, err: /ended after 100 ms/ });
});

const ECHO = `
  addEventListener('uninstall', () => console.log('uninstall'));
  export default { fetch(request) {
    const [client, server] = Object.values(new WebSocketPair());
    server.accept();
    server.onmessage = ({ data }) => { if (data === 'fail') throw new Error('in a listener'); server.send(data); };
    server.onclose = ({ code }) => console.log('close ' + code);
    return new Response(null, { status: 101, webSocket: client });
  } };`;

void t.test('SIGTERM tells WebSocket clients to go before uninstall', async (t) => {
  const { child, socket, end } = await serving(t, ECHO);
  const client = new FrameClient({ path: socket });
  client.send(handshake(), frame(OPCODE.text, 'hi'));
  t.match(await client.head(), /^HTTP\/1\.1 101 /);
  t.equal(await client.next(), 'text hi');
  child.kill('SIGTERM');
  t.equal(await client.next(), 'close 1001');
  client.send(frame(OPCODE.close, closing(1001)));
  t.equal(await client.next(), 'end');
  t.match(await end, { code: 143, out: /close 1001\nuninstall\n$/, err: '' });
});

void t.test(
  'an error that nobody caught in a listener of a WebSocket ends the worker with 1011',
  async (t) => {
    const { socket, end } = await serving(t, ECHO);
    const client = new FrameClient({ path: socket });
    client.send(handshake(), frame(OPCODE.text, 'fail'));
    t.match(await client.head(), /^HTTP\/1\.1 101 /);
    t.equal(await client.next(), 'close 1011');
    t.match(await end, { code: 1, err: /Uncaught Error: in a listener/ });
  },
);

void t.test('a worker that blocks its event loop ends with 134, whatever it is at', async (t) => {
  const { socket, end } = await serving(
    t,
    `export default { fetch(request) { if (request.url.endsWith('/loop')) for (;;); return new Response('ok'); } };`,
    '--limit',
    'turnMs=100',
  );
  t.match(await askSocket(socket, '/'), { status: 200 });
  await askSocket(socket, '/loop').catch(() => undefined);
  t.match(await end, { code: 134, err: /^The event loop was blocked .*limit turnMs.* GET \/loop\n$/ });
  const directory = t.testdir({ 'index.js': 'for (;;);' });
  const child = aworker(join(directory, 'index.js'), '--limit', 'cpuMs=100', '--listen', 'tcp:127.0.0.1:0');
  t.match(await ended(child), { code: 134, err: /^The event loop was blocked .*limit cpuMs\)\n$/ });
});

void t.test(
  'a handler that computes longer than cpuMs is answered for, and its neighbours are not',
  async (t) => {
    const { child, socket, end } = await serving(
      t,
      `const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
     export default { async fetch({ url, signal }) {
       if (url.endsWith('/waits')) { await later(400); return new Response('waited'); }
       while (!signal.aborted) { for (const end = performance.now() + 5; performance.now() < end; ); await later(0); }
       return new Response(signal.reason.name);
     } };`,
      '--limit',
      'cpuMs=250',
    );
    const waits = askSocket(socket, '/waits');
    t.match(await askSocket(socket, '/computes'), { status: 503 });
    t.match(await waits, { status: 200, body: 'waited' }, 'half of that time counted for it');
    child.kill('SIGTERM');
    t.match(await end, { code: 143 });
  },
);

void t.test('a full heap ends the worker with 134', async (t) => {
  const directory = t.testdir({
    'index.js': 'const kept = []; for (;;) kept.push(Array.from({ length: 1e5 }, (_, i) => ({ i })));',
  });
  const child = aworker(join(directory, 'index.js'), '--limit', `heapBytes=${32 << 20}`);
  t.match(await ended(child), { code: 134, err: /heap out of memory/ });
});

void t.test('fetch goes by the proxies of the environment', async (t) => {
  const seen: string[] = [];
  const proxy = createServer((message, out) => {
    seen.push(`${message.method ?? ''} ${message.url ?? ''}`);
    out.end('by proxy');
  });
  proxy.on('connect', (message: IncomingMessage, socket: Duplex) => {
    seen.push(`CONNECT ${message.url ?? ''}`);
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  const direct = createServer((_message, out) => out.end('direct'));
  t.teardown(() => {
    proxy.close();
    direct.close();
  });
  const [proxyPort, directPort] = await Promise.all(
    [proxy, direct].map(async (server) => {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    }),
  );
  const address = `http://127.0.0.1:${proxyPort}`;
  const { child, socket, end } = await serving(
    t,
    `const ask = (url) => fetch(url).then((answer) => answer.text(), (error) => error.name);
     export default { fetch: async () => Response.json([await ask('http://a.example/x'), await ask('https://a.example/'),
       await ask('http://127.0.0.1:${directPort}/')]) };`,
    ...['--env', `HTTP_PROXY=${address}`, '--env', `https_proxy=${address}`, '--env', 'NO_PROXY=127.0.0.1'],
  );
  t.same(JSON.parse((await askSocket(socket, '/')).body), ['by proxy', 'TypeError', 'direct']);
  t.same(seen, ['GET http://a.example/x', 'CONNECT a.example:443']);
  child.kill('SIGTERM');
  t.match(await end, { code: 143 });
  const wrong = aworker(MAIN, '--env', 'http_proxy=nonsense', '--listen', 'tcp:127.0.0.1:0');
  t.match(await ended(wrong), { code: 1, err: /env\.http_proxy: not the address of a proxy: nonsense/ });
});

void t.test('an install that never settles ends the worker', async (t) => {
  const directory = t.testdir({
    'index.js': `oninstall = (event) => event.waitUntil(new Promise(() => {}));`,
  });
  const child = aworker(join(directory, 'index.js'), '--limit', 'startMs=50', '--listen', 'tcp:127.0.0.1:0');
  t.match(await ended(child), { code: 1, err: /has not started within 50 ms/ });
});

void t.test(
  'what nobody caught is answered with 500, printed by its source, and ends the worker',
  async (t) => {
    const map = Buffer.from(
      JSON.stringify({
        version: 3,
        sources: ['../src/origin.ts'],
        names: [],
        mappings: 'AAAA;AACA;AACA;AACA;AACA',
      }),
    ).toString('base64');
    const { socket, end } = await serving(
      t,
      `export default { fetch(request) {
       if (request.url.endsWith('/throw')) throw new Error('thrown');
       setTimeout(() => { throw new Error('stray'); }, 1); return new Promise(() => {});
     } };
//# sourceMappingURL=data:application/json;base64,${map}`,
    );
    t.match(await askSocket(socket, '/throw'), {
      status: 500,
      body: /^Internal Server Error \(request [0-9a-f]{16}\)\n$/,
    });
    t.match(await askSocket(socket, '/stray'), { status: 500, body: /^Internal Server Error/ });
    const { code, err } = await end;
    t.equal(code, 1);
    t.match(err, /^request [0-9a-f]{16}: Uncaught Error: thrown\n.*src\/origin\.ts:2:1/);
    t.match(err, /Uncaught Error: stray\n.*src\/origin\.ts:3:1/);
  },
);

void t.test(
  'error and unhandledrejection events tell of failed requests; cancelled, nothing is printed',
  async (t) => {
    const { child, socket, end } = await serving(
      t,
      `addEventListener('error', (event) => { console.log('error', event.error.message); event.preventDefault(); });
     addEventListener('unhandledrejection', (event) => { console.log('rejection', event.reason.message); event.preventDefault(); });
     addEventListener('fetch', (event) => {
       if (event.request.url.endsWith('/throw')) throw new Error('a');
       event.respondWith(Promise.reject(new Error('b')));
     });`,
    );
    t.equal((await askSocket(socket, '/throw')).status, 500);
    t.equal((await askSocket(socket, '/reject')).status, 500);
    child.kill('SIGTERM');
    t.match(await end, { code: 143, out: /error a\nrejection b\n$/, err: '' });
  },
);
