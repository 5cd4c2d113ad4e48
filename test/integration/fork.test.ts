import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { temporary, workerBundle, type Bundle } from './harness/bundle.js';
import { http } from './harness/http.js';
import { isAlive, namespaceOf } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { eventually, Turfd } from './harness/turfd.js';

const ECHO = `
const started = 'seed';
export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    return Response.json({ started, path: url.pathname + url.search, method: request.method, body: await request.text(), env: { ...env } });
  },
};`;

const seedBundle = (t: Test, code = ECHO, mode?: string): Bundle =>
  workerBundle(t, code, { turf: { seed: mode === undefined ? true : { mode } }, env: ['FROM_SEED=1'] });

await t.test('warm fork through the CLI and REST', requires(), async (outer) => {
  const turfd = await Turfd.start(outer);
  const seed = turfd.id('seed');

  await outer.test('seed create waits for the fork point; state and list show it', async (t) => {
    await turfd.ok(['seed', 'create', '--bundle', seedBundle(outer).path, seed]);
    t.match(await turfd.state(seed), { status: 'running', turf: { kind: 'seed', state: 'forkwait' } });
    t.match((await turfd.ok(['seed', 'list'])).stdout, new RegExp(seed));
    t.match(await turfd.list(), [{ id: seed }]);
  });

  await outer.test('a seed has rehearsed: its clones find their pages ready', async (t) => {
    // The ranges are learnt where the kernel shows the seed its clone's pages; without them nothing but time is lost.
    await eventually('the seed to be reported', () =>
      Promise.resolve(new RegExp(`"id":"${seed}".*"warmPages":[1-9]\\d*`).test(turfd.log())),
    );
    t.match(turfd.log(), /"warmPages":[1-9]\d*/);
  });

  await outer.test('a worker answers on its own socket, from the state that the seed had', async (t) => {
    const id = turfd.id('w1');
    await turfd.ok(['fork', seed, id]);
    const state = await turfd.state(id);
    t.match(state, { status: 'running', turf: { kind: 'worker', seed } });
    const answer = await http(state.turf.listen ?? '', '/a?b=c', { method: 'POST', body: 'text' });
    t.equal(answer.status, 200);
    t.match(JSON.parse(answer.body), { started: 'seed', path: '/a?b=c', method: 'POST', body: 'text' });
    t.match(JSON.parse((await turfd.ok(['invoke', id])).stdout), { method: 'GET', path: '/' });
    for (const proc of ['pid', 'net', 'ipc', 'uts', 'mnt'])
      t.not(namespaceOf(state.pid, proc), namespaceOf('self', proc), `${proc} namespace of its own`);
    await turfd.ok(['kill', id, 'KILL']);
    t.match(await turfd.until(id, 'stopped'), { turf: { exitSignal: 'SIGKILL' } });
    await turfd.ok(['delete', id]);
    t.notOk(existsSync(join(turfd.root, id)));
  });

  await outer.test('--env, --code and --listen', async (t) => {
    const id = turfd.id('opts');
    const dir = temporary(t);
    const listen = `unix:${join(dir, 's.sock')}`;
    await turfd.ok(['fork', '--env', 'A=1', '--env', 'B=x=y', '--listen', listen, seed, id]);
    t.match(JSON.parse((await http(listen, '/')).body), { env: { A: '1', B: 'x=y' } });
    await turfd.ok(['delete', '--force', id]);
    t.notOk(existsSync(join(dir, 's.sock')), 'the socket goes with the worker');

    const tcp = turfd.id('tcp');
    await turfd.ok(['fork', '--listen', 'tcp:127.0.0.1:0', seed, tcp]);
    const { turf } = await turfd.state(tcp);
    t.match(turf.listen ?? '', /^tcp:127\.0\.0\.1:[1-9]\d*$/);
    t.equal((await http(turf.listen ?? '', '/')).status, 200);
    await turfd.ok(['delete', '--force', tcp]);
  });

  await outer.test('a runtime seed: each worker loads its own code after the fork', async (t) => {
    const engine = turfd.id('engine');
    await turfd.ok([
      'seed',
      'create',
      '--bundle',
      seedBundle(t, 'throw new Error("never loaded in the seed");', 'runtime').path,
      engine,
    ]);
    for (const name of ['one', 'two']) {
      const code = temporary(t);
      writeFileSync(
        join(code, 'index.js'),
        `export default { fetch: () => new Response(${JSON.stringify(name)}) };`,
      );
      const id = turfd.id(name);
      await turfd.ok(['fork', '--code', code, engine, id]);
      t.match((await turfd.ok(['invoke', id])).stdout, new RegExp(name));
      await turfd.ok(['delete', '--force', id]);
    }
    await turfd.ok(['delete', '--force', engine]);
  });

  await outer.test('create --seed holds the worker until start', async (t) => {
    const id = turfd.id('hold');
    const { path } = workerBundle(t, ECHO);
    await turfd.ok(['create', '--seed', seed, '--bundle', path, id]);
    t.match(await turfd.state(id), { status: 'created', turf: { kind: 'worker' } });
    await turfd.ok(['start', id]);
    t.match(JSON.parse((await turfd.ok(['invoke', id])).stdout), { method: 'GET' });
    await turfd.ok(['delete', '--force', id]);
  });

  await outer.test('REST: fork, state, list, delete', async (t) => {
    const id = turfd.id('rest');
    const forked = await turfd.rest(`/seeds/${seed}/fork`, {
      method: 'POST',
      body: JSON.stringify({ id, env: { A: '2' } }),
    });
    t.equal(forked.status, 201, forked.body);
    const { pid, listen, forkMs } = JSON.parse(forked.body) as {
      pid: number;
      listen: string;
      forkMs: number;
    };
    t.ok(isAlive(pid));
    t.type(forkMs, 'number');
    t.match(JSON.parse((await http(listen, '/')).body), { env: { A: '2' } });
    t.equal((await turfd.rest(`/containers/${id}?force=true`, { method: 'DELETE' })).status, 204);
    t.equal((await turfd.rest(`/containers/${id}`)).status, 404);
  });

  await outer.test('console reaches turf logs', async (t) => {
    const talker = turfd.id('talker');
    const code = `export default { fetch() { console.log('to stdout'); console.error('to stderr'); return new Response('ok'); } };`;
    await turfd.ok(['seed', 'create', '--bundle', seedBundle(t, code).path, talker]);
    const id = turfd.id('talk');
    await turfd.ok(['fork', talker, id]);
    await turfd.ok(['invoke', id]);
    t.match(await turfd.turf(['logs', id]), { status: 0, stdout: /to stdout/, stderr: /to stderr/ });
    await turfd.ok(['delete', '--force', id]);
    await turfd.ok(['delete', '--force', talker]);
  });

  await outer.test('mistakes are refused and leave nothing', async (t) => {
    const before = (await turfd.list()).length;
    t.match(await turfd.turf(['fork', turfd.id('noseed'), turfd.id('x')]), { status: 1, stderr: /noseed/ });
    t.match(await turfd.turf(['fork', seed, seed]), { status: 1, stderr: /exist/ });
    t.match(await turfd.turf(['fork', '--listen', 'smoke:signal', seed, turfd.id('x')]), {
      status: 1,
      stderr: /smoke/,
    });
    t.match(await turfd.turf(['fork', '--code', '/no/code', seed, turfd.id('x')]), {
      status: 1,
      stderr: /code/,
    });
    const broken = await turfd.turf([
      'seed',
      'create',
      '--bundle',
      seedBundle(t, 'syntax error here').path,
      turfd.id('broken'),
    ]);
    t.equal(broken.status, 1);
    t.match(broken.stderr, /SyntaxError|index\.js/, 'shows what the code did wrong');
    t.equal((await turfd.list()).length, before);
  });

  await outer.test('a worker that exits is reported with its code, and the seed forks on', async (t) => {
    const dying = turfd.id('dying');
    const code =
      'export default { fetch() { setTimeout(() => { throw new Error("on purpose"); }); return new Response("bye"); } };';
    await turfd.ok(['seed', 'create', '--bundle', seedBundle(t, code).path, dying]);
    const id = turfd.id('dies');
    await turfd.ok(['fork', dying, id]);
    await turfd.ok(['invoke', id]);
    t.match(await turfd.until(id, 'stopped'), { turf: { exitCode: 1 } });
    t.match((await turfd.turf(['logs', id])).stderr, /on purpose/);
    await turfd.ok(['fork', dying, turfd.id('next')]);
  });

  await outer.test(
    'a worker that the OOM killer took is told from a killed one',
    requires('controller:memory'),
    async (t) => {
      const greedy = turfd.id('greedy');
      const code =
        'const kept = []; export default { fetch() { for (;;) kept.push(new Uint8Array(1 << 22).fill(1)); } };';
      await turfd.ok(['seed', 'create', '--bundle', seedBundle(t, code).path, greedy]);
      const id = turfd.id('eats');
      const feed = await turfd.feed();
      await turfd.ok(['fork', '--memory', String(48 * 1024 * 1024), greedy, id]);
      t.equal((await turfd.turf(['invoke', id])).status, 1);
      t.match(await turfd.until(id, 'stopped'), { turf: { exitSignal: 'SIGKILL', oomKills: 1 } });
      const types = (): unknown[] => feed.seen.filter((event) => event['id'] === id).map(({ type }) => type);
      await eventually('the events to arrive', () => types().includes('exit'));
      t.same(types(), ['fork', 'oom', 'exit']);
      await turfd.ok(['delete', id]);
      await turfd.ok(['delete', '--force', greedy]);
    },
  );

  await outer.test(
    'the network of the host, with names, is for workers that ask and whose seed may',
    async (t) => {
      const server = createServer((_, response) => response.end('from the host')).listen(0, '127.0.0.1');
      t.teardown(() => server.close());
      await once(server, 'listening');
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('the server has no port');
      const code = `export default { fetch: async () => {
      try { return await fetch('http://localhost:${address.port}/'); } catch { return new Response('unreachable'); }
    } };`;
      const networked = turfd.id('net');
      const { path } = workerBundle(t, code, { turf: { seed: true, network: 'host' } });
      await turfd.ok(['seed', 'create', '--bundle', path, networked]);
      for (const [network, answer] of [
        ['host', 'from the host'],
        ['none', 'unreachable'],
      ] as const) {
        const id = turfd.id(network);
        await turfd.ok(['fork', '--network', network, networked, id]);
        t.equal((await turfd.ok(['invoke', id])).stdout, answer, network);
        await turfd.ok(['delete', '--force', id]);
      }
      t.match(await turfd.turf(['fork', '--network', 'host', seed, turfd.id('refused')]), {
        status: 1,
        stderr: /network: seed .* was not made with turf.network "host"/,
      });
      await turfd.ok(['delete', '--force', networked]);
    },
  );

  await outer.test('memory limit is that of the worker', requires('controller:memory'), async (t) => {
    const id = turfd.id('limit');
    await turfd.ok(['fork', '--memory', String(64 * 1024 * 1024), seed, id]);
    const { pid } = await turfd.state(id);
    const line =
      readFileSync(`/proc/${pid}/cgroup`, 'utf8')
        .split('\n')
        .find((one) => /:(.*,)?memory(,.*)?:|^0::/.test(one)) ?? '';
    const path = line.slice(line.indexOf('/'));
    const file = line.startsWith('0::')
      ? `/sys/fs/cgroup${path}/memory.max`
      : `/sys/fs/cgroup/memory${path}/memory.limit_in_bytes`;
    t.equal(readFileSync(file, 'utf8').trim(), String(64 * 1024 * 1024));
    await turfd.ok(['delete', '--force', id]);
  });
});
