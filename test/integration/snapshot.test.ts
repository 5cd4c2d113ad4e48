import { once } from 'node:events';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { frame, FrameClient, handshake, OPCODE } from '../fixtures/aworker/frame-client.js';
import { workerBundle } from './harness/bundle.js';
import { http } from './harness/http.js';
import { requires } from './harness/requires.js';
import { eventually, Turfd } from './harness/turfd.js';

const WORKERS = 5;

const PROBE = `
const hex = (bytes) => [...new Uint8Array(bytes)].join();
const shape = (object) => Object.entries(Object.getOwnPropertyDescriptors(object)).map(([name, { value, get, enumerable }]) => [name, typeof value, typeof get, enumerable].join()).sort();
async function importNode() {
  try { await new Function('return import("node:fs")')(); return 'imported'; } catch { return 'refused'; }
}
export default {
  async fetch(request, env) {
    const form = new FormData();
    form.set('a', 'b');
    const aes = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']);
    const globals = [];
    for (let object = globalThis; object !== null; object = Object.getPrototypeOf(object)) globals.push(shape(object));
    return Response.json({
      unique: {
        mathRandom: [Math.random(), Math.random()].join(),
        randomUUID: crypto.randomUUID(),
        randomValues: hex(crypto.getRandomValues(new Uint8Array(16))),
        aesKey: hex(await crypto.subtle.exportKey('raw', aes)),
        formBoundary: new Response(form).headers.get('content-type'),
        timeOrigin: performance.timeOrigin,
        id: aworker.id,
        env: env.NAME,
      },
      same: { globals, stack: new Error('x').stack, node: await importNode(), pid: aworker.pid, wasm: typeof WebAssembly.compileStreaming },
      skew: Math.abs(performance.timeOrigin + performance.now() - Date.now()),
      env,
    });
  },
};`;

/** What takes parts of Node.js that no snapshot holds, files of the runtime, and limits. */
const LATE = `
import { createServer, METHODS } from 'node:http';
const routes = {
  '/node': () => typeof createServer + METHODS.includes('GET'),
  async '/proxied'() { return (await fetch('http://example.test/asked')).text(); },
  '/loop': () => { for (;;); },
};
export default {
  async fetch(request) {
    if (!request.headers.has('upgrade')) return new Response(await routes[new URL(request.url).pathname]());
    const [client, server] = Object.values(new WebSocketPair());
    server.accept();
    server.onmessage = ({ data }) => server.send(new Error(data).stack);
    return new Response(null, { status: 101, webSocket: client });
  },
};`;

interface Probe {
  readonly unique: Readonly<Record<string, string | number>>;
  readonly same: object;
  readonly skew: number;
  readonly env: object;
}

await t.test('a worker that starts from a startup snapshot', requires(), async (outer) => {
  const turfd = await Turfd.start(outer);
  const directory = join(turfd.root, '.snapshots');
  const blob = (): string | undefined => readdirSync(directory).find((name) => name.endsWith('.blob'));
  const isBuilt = (): boolean => turfd.log().includes('startup snapshot built');
  const probe = async (name: string): Promise<Probe & { start: string | undefined }> => {
    const id = turfd.id(name);
    const { path } = workerBundle(outer, PROBE, { env: [`NAME=${name}`] });
    await turfd.ok(['run', '--detach', '--bundle', path, id]);
    const { turf } = await turfd.state(id);
    const { body } = await http(turf.listen ?? '', '/');
    await turfd.ok(['delete', '--force', id]);
    return { ...(JSON.parse(body) as Probe), start: turf.start };
  };

  const cold = await probe('cold');
  await eventually('the snapshot', isBuilt, 60_000);

  await outer.test(
    'the first start builds it for the next ones, for all to read and for root to write',
    async (t) => {
      t.equal(cold.start, 'cold');
      t.equal(statSync(directory).mode & 0o777, 0o755);
      const modes = readdirSync(directory).map((name) => statSync(join(directory, name)).mode & 0o777);
      t.strictSame(modes.sort(), [0o600, 0o644].sort(), 'its record, and itself');
      t.equal((await probe('next')).start, 'snapshot');
    },
  );

  await outer.test('is the same place to its code, and nothing in it repeats', async (t) => {
    const answers = await Promise.all(Array.from({ length: WORKERS }, (_, index) => probe(`s${index}`)));
    for (const { start, same, skew, env, unique } of answers) {
      t.equal(start, 'snapshot');
      t.strictSame(same, cold.same, 'globals, stacks and modules are those of any cold start');
      t.ok(skew < 1000, 'its clock is right');
      t.strictSame(env, { NAME: unique['env'] }, 'its environment, and nobody else has part in it');
    }
    for (const name of Object.keys(cold.unique))
      t.equal(new Set(answers.map(({ unique }) => unique[name])).size, WORKERS, name);
  });

  await outer.test('has WebSockets, modules of Node.js, proxies and limits', async (t) => {
    const proxy = createServer(({ method, url }, out) => out.end(`${method} ${url} by proxy`));
    proxy.listen(0, '127.0.0.1');
    t.teardown(() => proxy.close());
    await once(proxy, 'listening');
    const { port } = proxy.address() as AddressInfo;
    const { path } = workerBundle(t, LATE, {
      env: [`http_proxy=http://127.0.0.1:${port}`],
      turf: {
        network: 'host',
        nodeModules: ['node:http'],
        limits: { turnMs: 200 },
      },
    });
    const id = turfd.id('late');
    await turfd.ok(['run', '--detach', '--bundle', path, id]);
    const { turf } = await turfd.state(id);
    const listen = turf.listen ?? '';
    t.equal(turf.start, 'snapshot');
    t.match(await http(listen, '/node'), { status: 200, body: 'functiontrue' });
    t.match(await http(listen, '/proxied'), { status: 200, body: 'GET http://example.test/asked by proxy' });
    const client = new FrameClient({ path: listen.slice('unix:'.length) });
    client.send(handshake(), frame(OPCODE.text, 'over a WebSocket'));
    t.match(await client.head(), /^HTTP\/1\.1 101 /);
    const answer = await client.next();
    t.match(answer, /^text Error: over a WebSocket\n/);
    t.notMatch(answer, /node_modules|aworker/, 'stacks have frames of user code only');
    client.socket.destroy();
    await http(listen, '/loop').catch(() => undefined);
    t.match(await turfd.until(id, 'stopped'), { turf: { exitCode: 134 } }, 'turnMs');
  });

  await outer.test('a worker with a bound for its heap starts without', async (t) => {
    const { path } = workerBundle(t, 'export default { fetch: () => new Response() };', {
      turf: { limits: { heapBytes: 64 * 1024 * 1024 } },
    });
    const id = turfd.id('bounded');
    await turfd.ok(['run', '--detach', '--bundle', path, id]);
    const { turf } = await turfd.state(id);
    t.equal(turf.start, 'cold');
    t.match(await http(turf.listen ?? '', '/'), { status: 200 });
  });

  await outer.test('one that is not what was built is not used: it is built anew', async (t) => {
    writeFileSync(join(directory, blob() ?? ''), 'no snapshot');
    t.equal((await probe('damaged')).start, 'cold');
    t.match(turfd.log(), /a startup snapshot is not what was built: another is made/);
    await eventually('another', () => statSync(join(directory, blob() ?? '')).size > 1_000_000, 60_000);
    await eventually('its record', () => turfd.log().split('startup snapshot built').length === 3, 60_000);
    t.equal((await probe('mended')).start, 'snapshot');
  });

  await outer.test('the next daemon uses it', async (t) => {
    await turfd.stop();
    turfd.dropFeed();
    await turfd.up();
    t.equal((await probe('later')).start, 'snapshot');
  });
});
