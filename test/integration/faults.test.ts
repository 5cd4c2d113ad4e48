import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';
import t, { type Test } from 'tap';
import { workerBundle } from './harness/bundle.js';
import { inject } from './harness/faults.js';
import { cgroupsAbout, isAlive, livingIn, mountsAbout, namespaceOf, openFiles } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { eventually, Turfd } from './harness/turfd.js';

/** Every cell of the matrix; otherwise those that are quick: docs/testing.md, "Faults". */
const FULL = process.env['TURF_TEST_FULL'] === '1';

const CODE = `addEventListener('deserialize', () => console.log('user code runs'));
export default { fetch: () => new Response('right') };`;

type Party = 'seed' | 'intermediate' | 'clone';

interface Cell {
  readonly step: string;
  readonly party: Party;
  readonly fault: string;
  /** See inject(). */
  readonly what: string;
  /** Only in the full matrix: it takes as long as the daemon's patience, or a new seed. */
  readonly slow?: true;
  /** See requires(). */
  readonly needs?: string;
  /** What the error says; absent: the worker is forked all the same, or an error says something. */
  readonly says?: RegExp;
}

/**
 * Steps are reached by the system call that makes them. A call that fails with an error is a kernel that has run out of something, or a
 * policy; what the clone cannot do after the fork must end it.
 */
const CELLS: readonly Cell[] = [
  { step: 'request', party: 'seed', fault: 'no descriptors', what: 'pipe2:error=EMFILE', says: /pipe2/ },
  { step: 'request', party: 'seed', fault: 'kill -9', what: 'recvmsg:signal=KILL', slow: true },
  { step: 'request', party: 'seed', fault: 'SIGSTOP', what: 'recvmsg:signal=STOP', slow: true },
  { step: 'request', party: 'seed', fault: 'closed channel', what: 'recvmsg:error=ECONNRESET', says: /seed/ },
  { step: 'clone', party: 'seed', fault: 'no memory', what: 'clone:error=ENOMEM', says: /clone: .*memory/i },
  { step: 'clone', party: 'seed', fault: 'no pids', what: 'clone:error=EAGAIN', says: /clone/ },
  { step: 'clone', party: 'seed', fault: 'kill -9', what: 'clone:signal=KILL', slow: true },
  {
    step: 'clone',
    party: 'seed',
    fault: 'closed channel',
    what: 'sendmsg:error=EPIPE:when=1',
    says: /seed|clone/,
  },
  {
    step: 'namespaces',
    party: 'intermediate',
    fault: 'no namespaces',
    what: 'unshare:error=ENOSPC',
    says: /unshare/,
  },
  { step: 'namespaces', party: 'intermediate', fault: 'kill -9', what: 'unshare:signal=KILL', says: /clone/ },
  { step: 'namespaces', party: 'intermediate', fault: 'SIGSTOP', what: 'unshare:signal=STOP', slow: true },
  {
    step: 'descriptors',
    party: 'clone',
    fault: 'no descriptors',
    what: 'eventfd2:error=EMFILE',
    says: /eventfd/,
  },
  {
    step: 'cgroup',
    party: 'clone',
    fault: 'refused',
    what: 'write:error=EPERM:when=2',
    needs: 'cgroup-v1',
    says: /worker\.cgroup/,
  },
  { step: 'cgroup', party: 'clone', fault: 'kill -9', what: 'ioctl:signal=KILL' },
  { step: 'cgroup', party: 'clone', fault: 'SIGSTOP', what: 'ioctl:signal=STOP', slow: true },
  { step: 'network', party: 'clone', fault: 'refused', what: 'ioctl:error=EPERM', says: /worker\.network/ },
  {
    step: 'mounts',
    party: 'clone',
    fault: 'no mounts',
    what: 'move_mount:error=ENOSPC',
    says: /worker\.root/,
  },
  { step: 'mounts', party: 'clone', fault: 'kill -9', what: 'move_mount:signal=KILL:when=2' },
  { step: 'mounts', party: 'clone', fault: 'SIGSTOP', what: 'move_mount:signal=STOP', slow: true },
  { step: 'root', party: 'clone', fault: 'refused', what: 'pivot_root:error=EPERM', says: /worker\.root/ },
  {
    step: 'limits',
    party: 'clone',
    fault: 'refused',
    what: 'prlimit64:error=EPERM',
    says: /worker\.rlimits/,
  },
  {
    step: 'identity',
    party: 'clone',
    fault: 'refused',
    what: 'sethostname:error=EPERM',
    says: /worker\.hostname/,
  },
  { step: 'ids', party: 'clone', fault: 'refused', what: 'setresuid:error=EAGAIN', says: /worker\.user/ },
  {
    step: 'capabilities',
    party: 'clone',
    fault: 'refused',
    what: 'capset:error=EPERM',
    says: /worker\.(user|capabilities)/,
  },
  { step: 'filter', party: 'clone', fault: 'refused', what: 'seccomp:error=EINVAL', says: /worker\.seccomp/ },
  { step: 'filter', party: 'clone', fault: 'kill -9', what: 'seccomp:signal=KILL' },
  {
    step: 'reseeding',
    party: 'clone',
    fault: 'no randomness',
    what: 'getrandom:error=EIO',
    says: /RAND_poll/,
  },
  {
    step: 'event loop',
    party: 'clone',
    fault: 'no descriptors',
    what: 'epoll_create1:error=EMFILE',
    says: /uv_loop_fork/,
  },
  { step: 'release', party: 'clone', fault: 'closed channel', what: 'sendmsg:error=EPIPE:when=2' },
  { step: 'release', party: 'clone', fault: 'kill -9', what: 'sendmsg:signal=KILL:when=2' },
  { step: 'release', party: 'clone', fault: 'SIGSTOP', what: 'epoll_create1:signal=STOP', slow: true },
];

/** What a seed is now; it may have been replaced. */
async function seedNow(turfd: Turfd, name: string): Promise<{ pid: number; namespace: string }> {
  let pid = 0;
  await eventually('the seed to be parked', async () => {
    const outcome = await turfd.turf(['seed', 'inspect', name]);
    const seed =
      outcome.status === 0 ? (JSON.parse(outcome.stdout) as { pid: number; state: string }) : undefined;
    pid = seed?.pid ?? 0;
    return seed?.state === 'forkwait' && isAlive(pid);
  });
  return { pid, namespace: namespaceOf(pid, 'user') };
}

const tellsOfFault = (line: string): boolean => line.includes('INJECTED') || /SIG(KILL|STOP)/.test(line);

/** What the process did, beside ending, in whose call the fault was. */
function afterwards(calls: readonly string[]): string[] {
  const index = calls.findIndex((line) => line.includes('INJECTED'));
  const [pid = ''] = (calls[index] ?? '').split(' ', 1);
  return calls
    .slice(index + 1)
    .filter((line) => line.startsWith(`${pid} `) && !/exit_group|\+\+\+|INJECTED/.test(line));
}

/** Forks once more, and asks. */
async function stillForks(t: Test, turfd: Turfd, seed: string, id: string): Promise<void> {
  await turfd.ok(['fork', '--when-unready', 'wait', seed, id]);
  t.equal((await turfd.ok(['invoke', id])).stdout, 'right', 'the next fork is right');
  await turfd.ok(['delete', '--force', id]);
}

await t.test('a fault at each step of a fork', requires('program:strace'), async (outer) => {
  const turfd = await Turfd.start(outer);
  const seed = turfd.id('seed');
  const { path } = workerBundle(outer, CODE, { turf: { seed: true, pool: 0 } });
  await turfd.ok(['seed', 'create', '-b', path, '--restart', 'always', '--liveness', '2s', seed]);
  await stillForks(outer, turfd, seed, turfd.id('first'));
  const open = (): number => openFiles(turfd.nodePid).size;
  const openBefore = open();

  let count = 0;
  for (const { step, party, fault, what, says, slow, needs } of CELLS) {
    if (slow === true && !FULL) continue;
    const needed = needs === undefined ? {} : requires(needs);
    await outer.test(`${step}, ${party}: ${fault} (${what})`, needed, async (t) => {
      const id = turfd.id(`w${++count}`);
      const before = await seedNow(turfd, seed);
      const injection = await inject(t, before.pid, what, 'execve,openat,accept4,write,exit_group');
      const outcome = await turfd.turf(['fork', seed, id], { timeout: 60_000 });
      // Whoever forked may know of it before strace has written it down.
      await eventually('the fault to be told of', () => injection.calls().some(tellsOfFault)).catch(
        () => undefined,
      );
      const calls = injection.calls();
      await injection.end();
      t.ok(calls.some(tellsOfFault), `the fault was there: ${calls.slice(-3).join(' | ')}`);
      if (party === 'clone' && what.includes(':error='))
        t.same(afterwards(calls), [], 'it ends, and does nothing else: no user code');
      if (outcome.status === 0) {
        t.equal(says, undefined, 'it should have failed');
        await turfd.turf(['invoke', id], { timeout: 5000 });
        await turfd.ok(['delete', '--force', id]);
      } else {
        t.match(outcome.stderr, says ?? /^turf: \S/);
        t.notMatch(outcome.stderr, /\n {4}at /, 'no stack trace');
      }
      t.notOk((await turfd.list()).some((one) => one.id === id));
      const now = await seedNow(turfd, seed);
      await eventually('no clone to be left', () =>
        livingIn(before.namespace).every((pid) => pid === now.pid),
      );
      t.same(cgroupsAbout(id), []);
      t.same(
        mountsAbout(turfd.root).filter((line) => !line.includes('/.')),
        [],
      );
      t.notOk(readdirSync(turfd.root).includes(id));
      await stillForks(t, turfd, seed, turfd.id(`next${count}`));
    });
  }
  await eventually('descriptors of the daemon to be as many as before', () => open() <= openBefore + 2);
});

await t.test('what a machine runs out of', requires('program:prlimit'), async (outer) => {
  const turfd = await Turfd.start(outer);
  const seed = turfd.id('seed');
  const { path } = workerBundle(outer, CODE, { turf: { seed: true, pool: 0 } });
  await turfd.ok(['seed', 'create', '-b', path, seed]);
  await stillForks(outer, turfd, seed, turfd.id('first'));
  let count = 0;
  const fails = async (t: Test, says: RegExp, ...options: string[]): Promise<void> => {
    const id = turfd.id(`w${++count}`);
    const { namespace, pid } = await seedNow(turfd, seed);
    const outcome = await turfd.turf(['fork', ...options, seed, id]);
    t.equal(outcome.status, 1);
    t.match(outcome.stderr, says);
    t.same(cgroupsAbout(id), []);
    t.notOk(readdirSync(turfd.root).includes(id));
    await eventually('no clone to be left', () => livingIn(namespace).every((one) => one === pid));
  };

  await outer.test('processes of the seed: pids.max', requires('controller:pids'), async (t) => {
    const { pid } = await seedNow(turfd, seed);
    const tasks = readdirSync(`/proc/${pid}/task`).length;
    for (const [limit, says] of [
      [tasks, /clone/],
      [tasks + 1, /fork/],
    ] as const) {
      await turfd.ok(['update', '--pids-limit', String(limit), seed]);
      await fails(t, says);
    }
    await turfd.ok(['update', '--pids-limit', '-1', seed]);
    await stillForks(t, turfd, seed, turfd.id('pids'));
  });

  await outer.test('descriptors of the daemon', async (t) => {
    const { nodePid } = turfd;
    const limit = (count: number | string): string =>
      execFileSync('prlimit', ['--pid', String(nodePid), `--nofile=${count}:`]).toString();
    const [, usual = '1024'] =
      /^Max open files +(\d+)/m.exec(readFileSync(`/proc/${nodePid}/limits`, 'utf8')) ?? [];
    const highest = Math.max(...openFiles(nodePid).keys());
    // Enough for the client's connection and some of the steps: each run fails at another.
    for (const spare of [4, 6, 8, 10, 14]) {
      limit(highest + 1 + spare);
      const id = turfd.id(`few${spare}`);
      const outcome = await turfd.turf(['fork', seed, id], { timeout: 20_000 });
      limit(usual);
      if (outcome.status === 0) await turfd.ok(['delete', '--force', id]);
      else t.match(outcome.stderr, /^turf: \S/);
      t.notOk(
        (await turfd.list()).some((one) => one.id === id),
        `${spare} to spare: ${outcome.stderr.trim()}`,
      );
      t.same(cgroupsAbout(id), []);
    }
    await stillForks(t, turfd, seed, turfd.id('descriptors'));
  });

  await outer.test('memory of the worker', async (t) => {
    const id = turfd.id('small');
    const outcome = await turfd.turf(['fork', '--memory', '200k', seed, id]);
    if (outcome.status === 0) {
      await turfd.until(id, 'stopped');
      await turfd.ok(['delete', id]);
    } else {
      t.match(outcome.stderr, /^turf: \S/);
    }
    t.same(cgroupsAbout(id), []);
    await stillForks(t, turfd, seed, turfd.id('memory'));
  });
});
