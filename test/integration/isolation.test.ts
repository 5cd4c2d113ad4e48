import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import t from 'tap';
import { workerBundle } from './harness/bundle.js';
import { http } from './harness/http.js';
import { allPids, namespaceOf, openFiles, statusField } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { Turfd } from './harness/turfd.js';

/** Tries what an attacker in a worker would try first; answers with what it got. */
const ATTACK = `
const attempt = async (what) => { try { const got = await what(); return got === undefined ? 'undefined' : 'GOT ' + String(got).slice(0, 80); } catch (error) { return 'refused'; } };
const ATTACKS = {
  process: () => globalThis.process,
  require: () => globalThis.require,
  Buffer: () => globalThis.Buffer,
  module: () => globalThis.module,
  global: () => globalThis.global?.process,
  functionProcess: () => Function('return typeof process === "undefined" ? undefined : process')(),
  functionRequire: () => Function('return typeof require === "undefined" ? undefined : require')(),
  asyncConstructor: () => (async () => {}).constructor('return typeof process === "undefined" ? undefined : process')(),
  evalProcess: () => (0, eval)('typeof process === "undefined" ? undefined : process'),
  importFs: async () => (await import('node:fs')).readFileSync,
  importBareFs: async () => (await import('fs')).readFileSync,
  importChild: async () => (await import('node:child_process')).spawn,
  importModule: async () => (await import('node:module')).createRequire,
  importProcess: async () => (await import('node:process')).default,
  importPasswd: async () => Object.keys(await import('file:///etc/passwd')),
  importUp: async () => Object.keys(await import('../../../../etc/hostname.js')),
  importData: async () => (await import('data:text/javascript,export default typeof process')).default === 'undefined' ? undefined : 'process',
  fetchFile: async () => (await fetch('file:///etc/passwd')).text(),
  errorStructured: () => { let seen; const old = Error.prepareStackTrace; Error.prepareStackTrace = (_, frames) => { seen = frames.map((f) => f.getThis?.()).find((o) => o?.process ?? o?.require); }; new Error('x').stack; Error.prepareStackTrace = old; return seen; },
  consoleInternals: () => console.constructor?.constructor?.('return typeof process === "undefined" ? undefined : process')?.(),
  responseInternals: () => Response.constructor('return typeof process === "undefined" ? undefined : process')(),
  binding: () => globalThis.process?.binding?.('fs'),
};
export default {
  async fetch(request, env) {
    const path = new URL(request.url).pathname;
    if (path === '/env') return Response.json({ ...env });
    const results = {};
    for (const [name, what] of Object.entries(ATTACKS)) results[name] = await attempt(what);
    return Response.json(results);
  },
};`;

await t.test('a worker sees nothing of the host or of its neighbours', requires(), async (t) => {
  const turfd = await Turfd.start(t, []);
  const seed = turfd.id('seed');
  const neighbour = turfd.id('neighbour');
  const worker = turfd.id('worker');
  const { path } = workerBundle(t, ATTACK, { turf: { seed: true } });
  await turfd.ok(['seed', 'create', '--bundle', path, seed]);
  await turfd.ok(['fork', '--env', 'SECRET=of-the-neighbour', seed, neighbour]);
  await turfd.ok(['fork', '--env', 'MINE=1', seed, worker]);
  const { pid, turf } = await turfd.state(worker);
  const listen = turf.listen ?? '';
  const neighbourPid = (await turfd.state(neighbour)).pid;
  const seedPid = (await turfd.state(seed)).pid;

  await t.test('from inside: no Node.js, no host modules, no host files', async (t) => {
    const results = JSON.parse((await http(listen, '/')).body) as Record<string, string>;
    for (const [attack, result] of Object.entries(results))
      t.notMatch(result, /^GOT/, `${attack}: ${result}`);
    t.ok(Object.keys(results).length > 15);
  });

  await t.test('environment: its own, never that of a neighbour or of the daemon', async (t) => {
    const { body } = await http(listen, '/env');
    t.match(JSON.parse(body), { MINE: '1' });
    t.notMatch(body, /of-the-neighbour|TURF_|HOME|PATH/);
    t.notMatch(readFileSync(`/proc/${pid}/environ`, 'utf8'), /of-the-neighbour/);
    t.notMatch(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), /of-the-neighbour|MINE/);
  });

  await t.test('processes: it is PID 1 of a namespace with nobody else in it', (t) => {
    t.match(statusField(pid, 'NSpid'), /\s1$/);
    const own = namespaceOf(pid, 'pid');
    const mates = allPids().filter((one) => {
      try {
        return namespaceOf(one, 'pid') === own;
      } catch {
        return false;
      }
    });
    t.strictSame(mates, [pid]);
    t.end();
  });

  await t.test('namespaces: every kind differs from those of host, seed and neighbour', (t) => {
    for (const kind of ['pid', 'mnt', 'ipc', 'uts', 'net'])
      for (const [who, other] of [
        ['host', 'self'],
        ['seed', seedPid],
        ['neighbour', neighbourPid],
      ] as const)
        t.not(namespaceOf(pid, kind), namespaceOf(other, kind), `${kind}: ${who}`);
    t.not(namespaceOf(pid, 'user'), namespaceOf('self', 'user'), 'user: host');
    t.end();
  });

  await t.test('files: its root has its code and the runtime, not the host', (t) => {
    const root = readdirSync(`/proc/${pid}/root/`);
    for (const name of ['home', 'root', 'var', 'srv', 'boot', 'opt', 'mnt', 'run'])
      if (root.includes(name))
        t.strictSame(readdirSync(`/proc/${pid}/root/${name}`), [], `/${name} is empty`);
    t.ok(root.includes('code'));
    for (const line of readFileSync(`/proc/${pid}/mountinfo`, 'utf8').trim().split('\n')) {
      const [, , , source = '', target = '', options = ''] = line.split(' ');
      if (target === '/code' || target === '/') t.match(options, /^ro/, `${target} is read-only`);
      // The root is a directory that the daemon keeps for all workers: a place for the code, and nothing above it can be reached.
      if (target === '/') t.match(source, /\.worker-root$/, 'the root is the empty one');
      else t.notOk(source.startsWith(turfd.root), `${target} shows nothing of the state directory`);
    }
    t.match(readlinkSync(`/proc/${pid}/cwd`), /^\//);
    t.end();
  });

  await t.test('descriptors: nothing of the seed, of the daemon or of the host', (t) => {
    for (const [fd, link] of openFiles(pid)) {
      t.notMatch(link, /control\.sock|cli\.sock|turf\.sock|turfd\.lock|daemon|\/proc\//, `${fd} -> ${link}`);
      if (link.startsWith('/') && !link.startsWith('/dev/') && !link.startsWith('/memfd'))
        t.match(link, new RegExp(`^/code|^${turfd.root}/${worker}/`), `${fd} -> ${link}`);
    }
    const sockets = (one: number): string[] =>
      [...openFiles(one).values()].filter((link) => link.startsWith('socket:'));
    const neighbours = new Set(sockets(neighbourPid));
    t.strictSame(
      sockets(pid).filter((link) => neighbours.has(link)),
      [],
      'shares no socket with its neighbour',
    );
    t.end();
  });

  await t.test('privileges: none', (t) => {
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      t.match(statusField(pid, set), /^0+$/, set);
    t.equal(statusField(pid, 'NoNewPrivs'), '1');
    t.equal(statusField(pid, 'Seccomp'), '2');
    for (const field of ['Uid', 'Gid'])
      for (const id of statusField(pid, field).split(/\s+/)) t.not(id, '0', `${field} on the host`);
    for (const id of statusField(seedPid, 'Uid').split(/\s+/))
      t.not(id, '0', 'the seed is no host root either');
    t.not(namespaceOf(seedPid, 'user'), namespaceOf('self', 'user'), 'the seed lives in a user namespace');
    t.end();
  });

  await t.test('cgroup: its own', (t) => {
    const own = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
    // A clone that was made ahead stays where it was made.
    t.match(own, new RegExp(`/turf/(${worker}|${seed}~\\w+)`));
    t.not(own, readFileSync(`/proc/${neighbourPid}/cgroup`, 'utf8'));
    t.not(own, readFileSync(`/proc/${seedPid}/cgroup`, 'utf8'));
    t.end();
  });
});
