import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { workerBundle } from './harness/bundle.js';
import { http } from './harness/http.js';
import { namespaceOf, openFiles, statusField } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { runtimeBundle } from './harness/seeds.js';
import { Turfd } from './harness/turfd.js';

const IDLE = `export default { fetch: () => new Response('here') };`;

/** What a descriptor of a clone may be: docs/warmfork.md, "What a worker sees". */
const ALLOWED = [
  /^\/dev\/null$/,
  /^anon_inode:\[(eventfd|eventpoll)\]$/,
  /^pipe:\[\d+\]$/,
  /^socket:\[\d+\]$/,
];

const sockets = (pid: number): string[] =>
  [...openFiles(pid).values()].filter((link) => link.startsWith('socket:'));

await t.test('tenants are kept apart: seen from the host', requires(), async (t) => {
  const turfd = await Turfd.start(t);
  const { path } = workerBundle(t, IDLE, { turf: { seed: true } });
  await t.test('each with a seed of its own', async (t) => {
    const seeds = [turfd.id('s1'), turfd.id('s2')] as const;
    for (const seed of seeds) await turfd.ok(['seed', 'create', '--bundle', path, seed]);
    await areApart(t, turfd, seeds, 65_536);
  });
  await t.test('seeds that are clones of one base', async (t) => {
    const base = turfd.id('base');
    await turfd.ok(['seed', 'create', '--bundle', runtimeBundle(t), base]);
    const seeds = [turfd.id('f1'), turfd.id('f2')] as const;
    for (const seed of seeds) await turfd.ok(['seed', 'create', '--bundle', path, '--from', base, seed]);
    await areApart(t, turfd, seeds, 1024);
    const worker = turfd.id('of-base');
    await turfd.ok(['fork', '--code', join(path, 'code'), base, worker]);
    const users = await Promise.all([base, ...seeds].map(async (id) => (await turfd.state(id)).pid));
    t.equal(new Set(users.map((pid) => namespaceOf(pid, 'user'))).size, 3, 'a user namespace for each');
    await areStrangers(t, turfd, [base, worker], seeds);
  });
});

/** Nobody has an id, a descriptor or a namespace of the others. */
async function areStrangers(
  t: Test,
  turfd: Turfd,
  ones: readonly string[],
  others: readonly string[],
): Promise<void> {
  const pids = async (ids: readonly string[]): Promise<number[]> =>
    Promise.all(ids.map(async (id) => (await turfd.state(id)).pid));
  for (const one of await pids(ones))
    for (const other of await pids(others)) {
      t.not(statusField(one, 'Uid'), statusField(other, 'Uid'), 'user ids');
      for (const kind of ['mnt', 'ipc', 'uts', 'net'])
        t.not(namespaceOf(one, kind), namespaceOf(other, kind), kind);
      t.strictSame(
        sockets(one).filter((link) => sockets(other).includes(link)),
        [],
        'sockets',
      );
    }
}

/** @param ids how many user ids a seed has to itself */
async function areApart(t: Test, turfd: Turfd, seeds: readonly [string, string], ids: number): Promise<void> {
  const [seed, otherSeed] = seeds;
  const [worker, sibling, stranger] = [`${seed}-w`, `${seed}-sibling`, `${otherSeed}-stranger`];
  await turfd.ok(['fork', seed, worker]);
  await turfd.ok(['fork', seed, sibling]);
  await turfd.ok(['fork', otherSeed, stranger]);
  const pidOf = async (id: string): Promise<number> => (await turfd.state(id)).pid;
  const pid = await pidOf(worker);

  await t.test('descriptors: nothing that is not on the list, no socket of anybody else', async (t) => {
    const log = new RegExp(`^${turfd.root}/${worker}/(stdout|stderr)\\.log$`);
    for (const [fd, link] of openFiles(pid))
      t.ok(
        [...ALLOWED, log].some((allowed) => allowed.test(link)),
        `${fd} -> ${link}`,
      );
    t.ok(sockets(pid).length <= 1, 'one socket at most: the one it listens on');
    const others = new Set(
      [...(await Promise.all([seed, sibling, stranger].map(pidOf))), turfd.nodePid].flatMap(sockets),
    );
    t.notOk(sockets(pid).some((link) => others.has(link)));
    const pipes = (one: number): string[] =>
      [...openFiles(one).values()].filter((link) => link.startsWith('pipe:'));
    const seedPipes = new Set(pipes(await pidOf(seed)));
    t.notOk(
      pipes(pid).some((link) => seedPipes.has(link)),
      'shares no pipe with its seed',
    );
  });

  await t.test('ids: each seed, and so each tenant, has a range of its own', async (t) => {
    const uids = await Promise.all([pidOf(seed), pidOf(otherSeed)]).then((pids) =>
      pids.map((one) => Number(statusField(one, 'Uid').split(/\s+/)[0])),
    );
    const [one = 0, two = 0] = uids;
    t.ok(Math.abs(one - two) >= ids, `${one} and ${two} are a range apart`);
    t.not(statusField(pid, 'Uid'), statusField(await pidOf(seed), 'Uid'), 'a clone is not its seed');
    t.not(statusField(pid, 'Uid'), statusField(await pidOf(stranger), 'Uid'));
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      t.match(statusField(pid, set), /^0+$/, set);
  });

  await t.test(
    'nothing that could be opened to reach another process: no /proc, no /dev, no cgroup files',
    (t) => {
      const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').trim().split('\n');
      for (const line of mounts) {
        const [, , , , target = '', options = ''] = line.split(' ');
        const [, kind = ''] = / - (\S+)/.exec(line) ?? [];
        t.notMatch(
          kind,
          /^(proc|sysfs|cgroup2?|devtmpfs|devpts|mqueue|bpf|debugfs|tracefs|securityfs)$/,
          target,
        );
        t.match(options, /^ro\b/, `${target} cannot be written`);
        t.match(options, /noexec/, `nothing of ${target} can be executed`);
        t.match(options, /nosuid/, target);
        t.notMatch(line, / (shared|master):\d+/, `${target} is shared with nobody`);
      }
      t.strictSame(readdirSync(`/proc/${pid}/root/`).sort(), ['code', 'etc']);
      t.end();
    },
  );

  await t.test('no IPC, no abstract socket: its namespaces are empty and its own', async (t) => {
    for (const kind of ['ipc', 'net'])
      for (const other of [seed, sibling, stranger])
        t.not(namespaceOf(pid, kind), namespaceOf(await pidOf(other), kind), `${kind}: ${other}`);
    const abstract = readFileSync(`/proc/${pid}/net/unix`, 'utf8')
      .split('\n')
      .filter((line) => line.includes(' @'));
    t.strictSame(abstract, [], 'no abstract socket in reach');
    t.notMatch(readFileSync(`/proc/${pid}/net/tcp`, 'utf8'), /0A 0/, 'nobody listens on its loopback');
  });

  await t.test('no core dump, no ptrace, the filter on', (t) => {
    t.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /Max core file size +0 +0/);
    t.equal(statusField(pid, 'Seccomp'), '2');
    t.equal(statusField(pid, 'TracerPid'), '0');
    t.equal(statusField(pid, 'NoNewPrivs'), '1');
    t.end();
  });

  await t.test('the binary: outside of its root, in no way to be opened', (t) => {
    t.notOk(readlinkSync(`/proc/${pid}/exe`).startsWith('/code'));
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, access = '', , , , file = ''] = line.split(/\s+/);
      if (file.startsWith('/')) t.notMatch(access, /w.*s/, `${file} is not mapped to be written`);
    }
    t.end();
  });

  await t.test(
    "it still works, and the control socket of its seed is nobody's but the daemon's",
    async (t) => {
      const { turf } = await turfd.state(worker);
      t.equal((await http(turf.listen ?? '', '/')).body, 'here');
      const control = join(turfd.root, seed, 'control.sock');
      t.notOk([...openFiles(pid).values()].some((link) => link.includes(control)));
      t.throws(() => readdirSync(`/proc/${pid}/root/${turfd.root}`), 'no path leads there');
    },
  );
}
