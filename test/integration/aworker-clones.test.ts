/**
 * Clones of a seed without the daemon: the promises of the fork point itself. Root, for the namespaces.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { askSocket } from '../fixtures/aworker/ask-socket.js';
import { closing, frame, FrameClient, handshake, OPCODE } from '../fixtures/aworker/frame-client.js';
import { startSeed } from '../fixtures/aworker/seed.js';
import { temporary } from './harness/bundle.js';

const CODE = `
  const order = ['main'];
  for (const phase of ['serialize', 'deserialize', 'install', 'activate']) {
    addEventListener(phase, (event) => {
      order.push(phase);
      event.waitUntil(new Promise((resolve) => setTimeout(resolve, 1)).then(() => order.push(phase + ' done')));
    });
  }
  let ticks = 0;
  setInterval(() => ticks++, 1);
  const routes = {
    order: () => order,
    identity: () => ({ uuid: crypto.randomUUID(), random: Math.random(), bytes: String(crypto.getRandomValues(new Uint8Array(16))),
      origin: performance.timeOrigin, pid: aworker.pid, id: aworker.id }),
    timers: async () => { const before = ticks; while (ticks === before) await new Promise((resolve) => setTimeout(resolve, 1)); return true; },
    garbage: () => { let n = 0; for (let i = 0; i < 100; i++) n += Array.from({ length: 10000 }, (_, j) => ({ j })).length; return n; },
    crypto: async () => (await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign'])).type ?? 'pair',
    gzip: async () => (await new Response(new Blob(['x'.repeat(1e5)]).stream().pipeThrough(new CompressionStream('gzip'))
      .pipeThrough(new DecompressionStream('gzip'))).text()).length,
    decode: () => new TextDecoder('gb18030').decode(new Uint8Array([0xc4, 0xe3, 0xba, 0xc3])),
    wasm: () => new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) instanceof WebAssembly.Module,
    stream: () => new Response(new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode('a')); setTimeout(() => { c.enqueue(new TextEncoder().encode('b')); c.close(); }, 1); } })),
    socket: () => { const [client, server] = Object.values(new WebSocketPair()); server.accept(); server.onmessage = ({ data }) => server.send(data + ' from ' + aworker.id);
      return new Response(null, { status: 101, webSocket: client }); },
    throws: () => { throw new Error('boom'); },
  };
  export default { async fetch(request, env) {
    const name = new URL(request.url).pathname.slice(1);
    if (name === 'echo') return new Response(request.body);
    if (name === 'env') return Response.json(env);
    const result = await routes[name]();
    return result instanceof Response ? result : Response.json(result);
  } };`;

interface Identity {
  readonly uuid: string;
  readonly random: number;
  readonly bytes: string;
  readonly origin: number;
  readonly pid: number;
  readonly id: string;
}

async function json(socket: string, path: string): Promise<unknown> {
  return JSON.parse((await askSocket(socket, path)).body);
}

for (const mode of ['runtime', 'userland'] as const) {
  void t.test(
    `clones of a ${mode} seed`,
    { skip: process.getuid?.() === 0 ? false : 'needs root' },
    async (t) => {
      // Not t.testdir(): the path of a socket holds 107 bytes.
      const directory = temporary(t);
      writeFileSync(join(directory, 'index.js'), CODE);
      const seed = startSeed(directory, mode);
      t.teardown(() => seed.stop());

      await t.test('raise the life cycle events in order, after those of the seed', async (t) => {
        const { socket } = seed.fork('order');
        const before =
          mode === 'userland'
            ? ['main', 'serialize', 'serialize done', 'deserialize', 'deserialize done']
            : ['main'];
        t.same(await json(socket, '/order'), [
          ...before,
          'install',
          'install done',
          'activate',
          'activate done',
        ]);
      });

      await t.test(
        'have timers, collector, crypto, compression, WebAssembly and streams that work',
        async (t) => {
          const { socket } = seed.fork('works');
          t.equal(await json(socket, '/timers'), true);
          t.equal(await json(socket, '/garbage'), 1_000_000);
          t.equal(await json(socket, '/crypto'), 'pair');
          t.equal(await json(socket, '/gzip'), 100_000);
          t.equal(await json(socket, '/decode'), '你好', 'a library that is loaded in the clone');
          t.equal(await json(socket, '/wasm'), true);
          t.equal((await askSocket(socket, '/stream')).body, 'ab');
          t.equal((await askSocket(socket, '/echo', 'e'.repeat(200_000))).body.length, 200_000);
          t.match(await askSocket(socket, '/throws'), { status: 500, body: /^Internal Server Error / });
        },
      );

      await t.test('speak WebSocket', async (t) => {
        const { socket, pid } = seed.fork('socket');
        const client = new FrameClient({ path: socket });
        client.send(handshake({}, 'GET /socket HTTP/1.1'));
        t.match(await client.head(), /^HTTP\/1\.1 101 /);
        client.send(frame(OPCODE.text, 'hello'));
        t.equal(await client.next(), 'text hello from socket');
        process.kill(pid, 'SIGTERM');
        t.equal(await client.next(), 'close 1001');
        client.send(frame(OPCODE.close, closing(1001)));
        t.equal(await client.next(), 'end');
      });

      await t.test('never share an identity, although each is PID 1 of its namespace', async (t) => {
        const seen: Identity[] = [];
        for (let i = 0; i < 30; i++)
          seen.push((await json(seed.fork(`clone${i}`).socket, '/identity')) as Identity);
        for (const key of ['uuid', 'random', 'bytes', 'id'] as const) {
          t.equal(new Set(seen.map((one) => one[key])).size, seen.length, key);
        }
        t.ok(seen.every(({ pid }) => pid === 1));
        t.ok(
          seen.every(({ origin }, i) => i === 0 || origin >= (seen[i - 1]?.origin ?? 0)),
          'time origins advance',
        );
      });

      await t.test('keep no descriptor of the seed but what their plan gave them', async (t) => {
        const { socket, pid } = seed.fork('fds');
        t.same(await json(socket, '/env'), { NAME: 'fds' });
        const kept = readdirSync(`/proc/${pid}/fd`).map(Number);
        t.ok(kept.includes(200), 'the listening socket');
        t.same(
          kept.filter((fd) => fd > 200),
          [],
        );
        t.notOk(kept.includes(seed.controlFd) && seed.sameFile(pid, seed.controlFd), 'the control socket');
      });

      await t.test(
        'cost the seed nothing: after broken requests and dead clones it still parks and forks',
        async (t) => {
          for (const bytes of [
            Buffer.from('?'),
            Buffer.alloc(8),
            Buffer.alloc(64, 255),
            seed.frame('F', Buffer.alloc(3)),
          ]) {
            seed.sendRaw(bytes);
          }
          const { pid, socket } = seed.fork('victim');
          t.equal((await askSocket(socket, '/env')).status, 200);
          process.kill(pid, 'SIGKILL');
          t.equal(seed.fork('refused', { flags: 0x100 }).error, 'a flag that is no namespace');
          t.equal(seed.fork('crowded', { more: 240 }).error, 'more descriptors than a plan has');
          t.equal((await askSocket(seed.fork('after').socket, '/env')).status, 200);
          t.match(readFileSync(`/proc/${seed.pid}/stat`, 'utf8'), /\) S /);
        },
      );

      await t.test('end by SIGTERM, as the parked seed does', async (t) => {
        const { pid, socket } = seed.fork('ends');
        await askSocket(socket, '/env');
        process.kill(pid, 'SIGTERM');
        await gone(pid);
        t.equal(await seed.stop(), 'SIGTERM');
        t.notOk(existsSync(join('/proc', String(seed.pid), 'exe')));
      });
    },
  );
}

async function gone(pid: number): Promise<void> {
  while (existsSync(`/proc/${pid}/exe`) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
