import { readFileSync, readlinkSync } from 'node:fs';
import t from 'tap';
import { frame, FrameClient, handshake, OPCODE } from '../fixtures/aworker/frame-client.js';
import { workerBundle } from './harness/bundle.js';
import { http } from './harness/http.js';
import { namespaceOf, statusField } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { eventually, Turfd } from './harness/turfd.js';

const ECHO = `
console.log('loaded by', aworker.hostname);
addEventListener('install', () => console.log('installed'));
export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    if (request.headers.has('upgrade')) {
      const [client, server] = Object.values(new WebSocketPair());
      server.accept();
      server.onmessage = ({ data }) => server.send(data);
      return new Response(null, { status: 101, webSocket: client });
    }
    if (url.pathname === '/die') throw new Error('on purpose');
    return Response.json({ path: url.pathname, env: { ...env }, id: aworker.id, pid: aworker.pid, body: await request.text() });
  },
};`;

await t.test('a worker without a seed starts cold', requires(), async (t) => {
  const turfd = await Turfd.start(t);
  const listenOf = async (id: string): Promise<string> => {
    const { turf } = await turfd.state(id);
    return turf.listen ?? '';
  };

  await t.test('create, start, invoke, kill, delete by a bundle', async (t) => {
    const id = turfd.id('plain');
    const { path } = workerBundle(t, ECHO, { env: ['A=1'] });
    const created = await turfd.ok(['create', '--bundle', path, id]);
    t.match(await turfd.state(id), { status: 'created', turf: { kind: 'worker', start: 'cold' } });
    t.equal(created.later().stdout, '', 'nothing of it runs before start');
    await turfd.ok(['start', id]);
    const { body } = await http(await listenOf(id), '/a', { method: 'POST', body: 'text' });
    t.match(JSON.parse(body), { path: '/a', env: { A: '1' }, id, pid: 1, body: 'text' });
    t.match(created.later().stdout, /^loaded by .*\ninstalled\n$/, "output is the caller's");
    const client = new FrameClient({ path: (await listenOf(id)).slice('unix:'.length) });
    client.send(handshake(), frame(OPCODE.text, 'over a WebSocket'));
    t.match(await client.head(), /^HTTP\/1\.1 101 /);
    t.equal(await client.next(), 'text over a WebSocket');
    client.socket.destroy();
    await turfd.ok(['kill', id, 'TERM']);
    t.match(await turfd.until(id, 'stopped'), { turf: { exitCode: 143 } });
    await turfd.ok(['delete', id]);
  });

  await t.test('by annotations alone, as engines hand them over', async (t) => {
    const id = turfd.id('annotated');
    const { path } = workerBundle(t, ECHO, {
      mutate: (config) => {
        delete config.turf;
        config.annotations = { 'dev.turf.runtime': 'aworker', 'dev.turf.code': 'code' };
      },
    });
    await turfd.ok(['run', '--detach', '--bundle', path, id]);
    t.equal((await http(await listenOf(id), '/')).status, 200);
    await turfd.ok(['delete', '--force', id]);
  });

  await t.test('run in the foreground ends as the worker ends', async (t) => {
    const { path } = workerBundle(t, 'console.log("before"); throw new Error("on purpose");');
    const outcome = await turfd.turf(['run', '--bundle', path, turfd.id('fails')]);
    t.match(outcome, { status: 1, stdout: 'before\n', stderr: /on purpose/ });
  });

  await t.test('REST: create and start; logs', async (t) => {
    const id = turfd.id('rest');
    const { path } = workerBundle(t, ECHO);
    const made = await turfd.rest('/containers', {
      method: 'POST',
      body: JSON.stringify({ id, bundle: path }),
    });
    t.equal(made.status, 201, made.body);
    t.equal((await turfd.rest(`/containers/${id}/start`, { method: 'POST' })).status, 204);
    t.equal((await http(await listenOf(id), '/')).status, 200);
    t.match((await turfd.ok(['logs', id])).stdout, /installed/);
    await turfd.ok(['delete', '--force', id]);
  });

  await t.test('fork --cold takes the place of a clone', async (t) => {
    const seed = turfd.id('seed');
    const { path } = workerBundle(t, ECHO, { turf: { seed: true }, env: ['FROM_SEED=1'] });
    await turfd.ok(['seed', 'create', '--bundle', path, seed]);
    await turfd.ok(['kill', seed, 'KILL']);
    await turfd.until(seed, 'stopped');
    const refused = await turfd.turf(['fork', seed, turfd.id('clone')]);
    t.not(refused.status, 0, 'there is nobody to clone');
    const id = turfd.id('cold');
    await turfd.ok(['fork', '--cold', '--env', 'B=2', '--memory', '256m', seed, id]);
    const { body } = await http(await listenOf(id), '/');
    t.match(JSON.parse(body), { env: { FROM_SEED: '1', B: '2' }, id });
    t.match(await turfd.state(id), { turf: { start: /^(cold|snapshot)$/, seed } });
    await turfd.ok(['delete', '--force', id]);
    await turfd.ok(['delete', '--force', seed]);
  });

  await t.test('is confined as a clone is', async (t) => {
    const [one, two] = [turfd.id('one'), turfd.id('two')];
    const { path } = workerBundle(t, ECHO, { env: ['SECRET=hidden'] });
    for (const id of [one, two]) {
      await turfd.ok(['run', '--detach', '--bundle', path, id]);
      t.equal((await http(await listenOf(id), '/')).status, 200);
    }
    const { pid } = await turfd.state(one);
    const other = await turfd.state(two);
    for (const kind of ['pid', 'mnt', 'ipc', 'uts', 'net', 'user']) {
      t.not(namespaceOf(pid, kind), namespaceOf('self', kind), `${kind}: not the host's`);
      t.not(namespaceOf(pid, kind), namespaceOf(other.pid, kind), `${kind}: not the other worker's`);
    }
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      t.match(statusField(pid, set), /^0+$/, set);
    t.equal(statusField(pid, 'NoNewPrivs'), '1');
    t.equal(statusField(pid, 'Seccomp_filters'), '2', "the filter of node's start, and the workers'");
    t.match(statusField(pid, 'Uid'), /^2\d{9}\b/, 'an id that nobody else has');
    t.not(statusField(pid, 'Uid'), statusField(other.pid, 'Uid'), 'nor the other worker');
    t.notMatch(readFileSync(`/proc/${pid}/environ`, 'utf8'), /hidden/);
    t.notMatch(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), /hidden/);
    t.match(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), new RegExp(one));
    for (const line of readFileSync(`/proc/${pid}/mountinfo`, 'utf8').trim().split('\n')) {
      const [, , , , target = '', options = ''] = line.split(' ');
      t.match(options, /^ro\b/, `${target} is read-only`);
      if (target === '/code') t.match(options, /noexec/, 'nothing of the code can be executed');
    }
    t.equal(readlinkSync(`/proc/${pid}/exe`), '/turf/node');
    for (const id of [one, two]) await turfd.ok(['delete', '--force', id]);
  });

  await t.test('code that cannot be opened, a terminal: refused by name, and nothing is left', async (t) => {
    const missing = workerBundle(t, ECHO, { turf: { code: 'nowhere' } });
    t.match(await turfd.turf(['create', '--bundle', missing.path, turfd.id('missing')]), {
      status: 1,
      stderr: /turf\.code/,
    });
    const bound = workerBundle(t, ECHO, { turf: { listen: 'tcp:192.0.2.1:1' } });
    t.match(await turfd.turf(['create', '--bundle', bound.path, turfd.id('bound')]), {
      status: 1,
      stderr: /listen/,
    });
    await eventually('nothing to be left', () => turfd.remains().length === 0);
  });
});
