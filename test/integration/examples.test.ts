import { execFile } from 'node:child_process';
import { on, once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { Agent, WebSocket } from 'undici';
import { temporary } from './harness/bundle.js';
import { http, target } from './harness/http.js';
import { PROJECT, requires, which } from './harness/requires.js';
import { run } from './harness/run.js';
import { Turfd } from './harness/turfd.js';

const EXAMPLES = join(PROJECT, 'examples');
const json = (body: string): unknown => JSON.parse(body);

/** What each example is asked, on the address of a worker of its seed. `other` is the address of a second worker. */
const checks: Readonly<
  Record<string, (t: Test, address: string, other: () => Promise<string>) => Promise<void>>
> = {
  async hello(t, address) {
    t.match(await http(address, '/'), { status: 200, body: /^hi from .*-hello-1\n$/ });
  },

  async 'json-api'(t, address, other) {
    const post = { method: 'POST', headers: { 'content-type': 'application/json' } };
    const made = await http(address, '/tasks', { ...post, body: '{"title":"a"}' });
    t.match({ ...made, body: json(made.body) }, { status: 201, body: { title: 'a', done: false } });
    const path = made.headers.location ?? '';
    t.match(json((await http(address, path)).body), { title: 'a' });
    t.match(json((await http(address, '/tasks')).body), [{ title: 'a' }]);
    t.match(await http(address, '/tasks', { ...post, body: '{"title":""}' }), { status: 400, body: /title/ });
    t.match(await http(address, '/tasks', { ...post, body: '{' }), { status: 400 });
    t.match(await http(address, '/tasks', { method: 'PATCH' }), {
      status: 405,
      headers: { allow: 'GET, POST' },
    });
    t.same(json((await http(await other(), '/tasks')).body), [], 'another worker has a list of its own');
    t.equal((await http(address, path, { method: 'DELETE' })).status, 204);
    t.equal((await http(address, path)).status, 404);
  },

  async streaming(t, address) {
    const events = await http(address, '/events?count=3');
    t.equal(events.headers['content-type'], 'text/event-stream');
    t.match(events.body, /^id: 1\ndata: \{"tick":1,"of":3\}\n\nid: 2\n[^]*id: 3\n/);
    const outgoing = request({ ...target(address), path: '/upper', method: 'POST', agent: false });
    outgoing.write('first, ');
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    incoming.setEncoding('utf8');
    const [first] = (await once(incoming, 'data')) as [string];
    t.equal(first, 'FIRST, ', 'the answer begins before the request ends');
    let rest = '';
    incoming.on('data', (text: string) => (rest += text));
    outgoing.end('then the rest');
    await once(incoming, 'end');
    t.equal(rest, 'THEN THE REST');
  },

  async html(t, address) {
    const { headers, body } = await http(address, '/?name=%3CAda%3E', { headers: { 'x-mine': '1' } });
    t.equal(headers['content-type'], 'text/html; charset=utf-8');
    t.match(body, '<h1>Hello, &lt;Ada&gt;</h1>');
    t.match(body, /<dt>x-mine<\/dt>\s*<dd>1<\/dd>/);
  },

  async hono(t, address) {
    const { headers, body } = await http(address, '/');
    t.equal(body, 'hi from Hono\n');
    t.match(headers, { etag: /^"/, 'x-request-id': /./ });
    const again = await http(address, '/', { headers: { 'if-none-match': headers.etag ?? '' } });
    t.equal(again.status, 304);
    t.same(json((await http(address, '/users/1?a=b')).body), { id: '1', query: { a: 'b' } });
    const post = { method: 'POST', headers: { 'content-type': 'application/json' } };
    t.match(await http(address, '/users', { ...post, body: '{"name":"Ada"}' }), { status: 201 });
    t.match(await http(address, '/users', { ...post, body: '{}' }), {
      status: 400,
      body: 'name is missing',
    });
    t.equal((await http(address, '/nowhere')).status, 404);
  },

  async wasm(t, address) {
    t.equal((await http(address, '/', { method: 'POST', body: 'foobar' })).body, 'bf9cf968\n');
    const large = await http(address, '/', { method: 'POST', body: 'x'.repeat(200_000) });
    t.match(large.body, /^[0-9a-f]{8}\n$/, 'the memory grows');
  },

  async 'websocket-chat'(t, address) {
    t.match(await http(address, '/'), { status: 200, body: '<title>Chat</title>' });
    t.equal((await http(address, '/rooms/a')).status, 426);
    const dispatcher = new Agent({ connect: { socketPath: address.slice('unix:'.length) } });
    const join = (room: string, name: string): { socket: WebSocket; next: () => Promise<unknown> } => {
      const socket = new WebSocket(`ws://chat/rooms/${room}?as=${name}`, { dispatcher });
      const messages = on(socket, 'message');
      return {
        socket,
        async next() {
          const { value } = (await messages.next()) as { value: [{ data: unknown }] };
          return json(String(value[0].data));
        },
      };
    };
    const ada = join('a', 'Ada');
    t.same(await ada.next(), { joined: 'Ada', members: 1 });
    const bob = join('a', 'Bob');
    t.same(await ada.next(), { joined: 'Bob', members: 2 });
    t.same(await bob.next(), { joined: 'Bob', members: 2 });
    const eve = join('b', 'Eve');
    t.same(await eve.next(), { joined: 'Eve', members: 1 }, 'in another room');
    bob.socket.send('hello');
    t.same(await ada.next(), { from: 'Bob', text: 'hello' });
    t.same(await bob.next(), { from: 'Bob', text: 'hello' });
    bob.socket.close();
    t.same(await ada.next(), { left: 'Bob', members: 1 });
    for (const { socket } of [ada, eve]) socket.close();
    await dispatcher.close();
  },

  async 'shared-data'(t, address, other) {
    interface Answer {
      readonly factors: readonly number[];
      readonly tookMs: number;
      readonly worker: string;
    }
    const ask = async (where: string): Promise<Answer> => json((await http(where, '/1001')).body) as Answer;
    const [one, two] = [await ask(address), await ask(await other())];
    t.same(one.factors, [7, 11, 13]);
    t.equal(one.tookMs, two.tookMs, 'computed once, in the seed');
    t.not(one.worker, two.worker);
    t.equal((await http(address, '/0')).status, 400);
  },
};

await t.test('every example runs as its README says', requires('program:curl'), async (outer) => {
  const turfd = await Turfd.start(outer);
  const names = readdirSync(EXAMPLES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  outer.same(names.sort(), Object.keys(checks).sort(), 'each has a test');

  await outer.test('turf init makes a bundle that runs at once', async (t) => {
    const cwd = temporary(t);
    t.match((await turfd.ok(['init'], { cwd })).stdout, /^hello +The smallest worker/m);
    for (const template of ['hello', 'json-api']) {
      await turfd.ok(['init', '--template', template, template], { cwd });
      const [seed, id] = [turfd.id(`made-${template}`), turfd.id(`from-${template}`)];
      await turfd.ok(['seed', 'create', '--bundle', template, seed], { cwd });
      await turfd.ok(['fork', '--listen', 'tcp:127.0.0.1:0', seed, id]);
      const { listen = '' } = (await turfd.state(id)).turf;
      const { stdout } = await run(t, which('curl') ?? 'curl', [
        '--silent',
        '--fail',
        `http://${listen.slice('tcp:'.length)}/${template === 'hello' ? '' : 'tasks'}`,
      ]);
      t.equal(stdout, template === 'hello' ? `hello from ${id}\n` : '[]');
      for (const name of [id, seed]) await turfd.ok(['delete', '--force', name]);
    }
  });

  for (const [name, check] of Object.entries(checks)) {
    await outer.test(name, async (t) => {
      const directory = join(EXAMPLES, name);
      if (existsSync(join(directory, 'package.json')))
        await promisify(execFile)('npm', ['run', 'build'], { cwd: directory });
      const seed = turfd.id(name);
      await turfd.ok(['seed', 'create', '--bundle', directory, seed]);
      let count = 0;
      const fork = async (): Promise<string> => {
        const id = `${seed}-${++count}`;
        await turfd.ok(['fork', '--env', 'GREETING=hi', seed, id]);
        return (await turfd.state(id)).turf.listen ?? '';
      };
      await check(t, await fork(), fork);
      for (let i = 1; i <= count; i++) await turfd.ok(['delete', '--force', `${seed}-${i}`]);
      await turfd.ok(['delete', '--force', seed]);
    });
  }
});
