import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import t, { type Test } from 'tap';
import { temporary, workerBundle } from './harness/bundle.js';
import { inject } from './harness/faults.js';
import { cgroupsAbout, isAlive, processStat } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { sayingBundle } from './harness/seeds.js';
import { eventually, Turfd, TURF } from './harness/turfd.js';

const FULL = process.env['TURF_TEST_FULL'] === '1';

/** A fork is there and answers, or nothing of it is. */
async function consistent(t: Test, turfd: Turfd, id: string): Promise<void> {
  const known = (await turfd.list()).find((one) => one.id === id);
  if (known !== undefined) {
    t.equal((await turfd.ok(['invoke', id])).stdout, 'right', 'it is there, and right');
    await turfd.ok(['delete', '--force', id]);
  }
  await eventually(`nothing of ${id} to be left`, () => turfd.remains().every((one) => !one.includes(id)));
}

async function seedOf(t: Test, turfd: Turfd, ...options: string[]): Promise<string> {
  const seed = turfd.id('seed');
  await turfd.ok(['seed', 'create', '-b', sayingBundle(t, 'right'), ...options, seed]);
  return seed;
}

/** The daemon's own calls, one for each thing that a fork makes: what it does to the kernel just before it dies. */
const DAEMON_STEPS: readonly (readonly [string, string])[] = [
  ['request: the state directory', 'mkdir:signal=KILL'],
  ['cgroup: its directory', 'mkdir:signal=KILL:when=2'],
  ['mounts: the root', 'open_tree:signal=KILL'],
  ['clone: its pidfd', 'pidfd_open:signal=KILL'],
  ['release: the state file', 'rename:signal=KILL'],
];

await t.test('the daemon is killed at each step of a fork', requires('program:strace'), async (outer) => {
  for (const [step, what] of FULL ? DAEMON_STEPS : DAEMON_STEPS.slice(3, 4))
    await outer.test(step, async (t) => {
      // The supervisor waits longer before each restart: a daemon of its own for each keeps that short.
      const turfd = await Turfd.start(t);
      const seed = await seedOf(t, turfd, '--pool', '0');
      const before = turfd.nodePid;
      const injection = await inject(t, before, what);
      const outcome = await turfd.turf(['fork', seed, turfd.id('w')], { timeout: 20_000 });
      t.match(outcome, { status: 1, stderr: /the daemon went away/ });
      t.match(injection.calls().join('\n'), /killed by SIGKILL/);
      await injection.end();
      await turfd.untilRestarted(before);
      await consistent(t, turfd, turfd.id('w'));
      await turfd.ok(['fork', '--when-unready', 'wait', seed, turfd.id('next')]);
      t.equal((await turfd.ok(['invoke', turfd.id('next')])).stdout, 'right');
    });
});

await t.test('whoever takes part in a fork stops, or is killed', requires(), async (outer) => {
  const turfd = await Turfd.start(outer);
  const seed = await seedOf(outer, turfd, '--restart', 'always', '--pool', '0');
  const seedPid = (await turfd.state(seed)).pid;

  await outer.test('client: kill -9 while the fork is under way', async (t) => {
    const id = turfd.id('orphan');
    process.kill(seedPid, 'SIGSTOP');
    const client = spawn(TURF, ['--root', turfd.root, 'fork', seed, id], { stdio: 'ignore' });
    await eventually('the fork to begin', () => readdirSync(turfd.root).includes(id));
    client.kill('SIGKILL');
    await once(client, 'exit');
    process.kill(seedPid, 'SIGCONT');
    await eventually('the fork to end', async () => (await turfd.turf(['state', id])).status === 0);
    await consistent(t, turfd, id);
  });

  await outer.test('daemon: SIGSTOP for a while only delays', async (t) => {
    const id = turfd.id('delayed');
    const { nodePid } = turfd;
    process.kill(nodePid, 'SIGSTOP');
    const fork = turfd.turf(['fork', seed, id]);
    await eventually('the daemon to be stopped', () => processStat(nodePid).state === 'T');
    process.kill(nodePid, 'SIGCONT');
    t.equal((await fork).status, 0);
    await consistent(t, turfd, id);
  });

  await outer.test('supervisor: SIGSTOP delays what is known of ends, not forks', async (t) => {
    const id = turfd.id('watched');
    const supervisor = processStat(turfd.nodePid).parent;
    process.kill(supervisor, 'SIGSTOP');
    try {
      await turfd.ok(['fork', seed, id]);
      t.equal((await turfd.ok(['invoke', id])).stdout, 'right');
    } finally {
      process.kill(supervisor, 'SIGCONT');
    }
    await turfd.ok(['kill', id, 'KILL']);
    t.match(await turfd.until(id, 'stopped'), { turf: { exitSignal: 'SIGKILL' } });
    await turfd.ok(['delete', id]);
    await consistent(t, turfd, id);
  });

  await outer.test('clone: kill -9 while it answers its first request', async (t) => {
    const id = turfd.id('answering');
    await turfd.ok(['fork', seed, id]);
    const { pid } = await turfd.state(id);
    process.kill(pid, 'SIGSTOP');
    const asked = turfd.turf(['invoke', id]);
    await eventually('it to be stopped', () => processStat(pid).state === 'T');
    process.kill(pid, 'SIGKILL');
    t.match(await asked, { status: 1, stderr: /^turf: worker \S+: / });
    await turfd.until(id, 'stopped');
    await turfd.ok(['delete', id]);
    t.same(cgroupsAbout(id), []);
  });

  await outer.test('clone made ahead: kill -9 while it waits; the fork makes another', async (t) => {
    const pooled = turfd.id('pooled');
    await turfd.ok(['seed', 'create', '-b', sayingBundle(t, 'right'), '--pool', '1', pooled]);
    const waiting = (): number[] =>
      cgroupsAbout(`${pooled}~`).flatMap((path) => {
        try {
          return execFileSync('cat', [join(path, 'cgroup.procs')])
            .toString()
            .trim()
            .split('\n')
            .map(Number);
        } catch {
          return [];
        }
      });
    await eventually('a clone to wait', () => waiting().some((pid) => pid > 0));
    for (const pid of new Set(waiting().filter((one) => one > 0))) process.kill(pid, 'SIGKILL');
    await turfd.ok(['fork', pooled, turfd.id('another')]);
    await consistent(t, turfd, turfd.id('another'));
    await turfd.ok(['seed', 'rm', pooled]);
    await eventually('no cgroup of the pool to be left', () => cgroupsAbout(`${pooled}~`).length === 0);
  });

  await outer.test('supervisor: kill -9 ends the daemon; the next takes over what runs', async (t) => {
    const id = turfd.id('kept');
    await turfd.ok(['fork', seed, id]);
    const { nodePid } = turfd;
    const { pid } = await turfd.state(id);
    turfd.dropFeed();
    process.kill(processStat(nodePid).parent, 'SIGKILL');
    await eventually('the daemon to end', () => !isAlive(nodePid));
    t.ok(isAlive(pid), 'the worker runs on');
    await turfd.up();
    await consistent(t, turfd, id);
    await turfd.ok(['fork', '--when-unready', 'wait', seed, turfd.id('after')]);
    await consistent(t, turfd, turfd.id('after'));
  });
});

await t.test('the disk of the state directory is full', requires('program:mount'), async (t) => {
  const disk = join(temporary(t, 'full-'), 'disk');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k,mode=755', 'tmpfs', disk]);
  t.teardown(() => execFileSync('umount', ['--lazy', disk]));
  const usual = process.env['TMPDIR'];
  const { path } = workerBundle(t, 'export default { fetch: () => new Response("right") };', {
    turf: { seed: true },
  });
  process.env['TMPDIR'] = disk;
  const turfd = await Turfd.start(t).finally(() => {
    if (usual === undefined) Reflect.deleteProperty(process.env, 'TMPDIR');
    else process.env['TMPDIR'] = usual;
  });
  const seed = turfd.id('seed');
  await turfd.ok(['seed', 'create', '-b', path, seed]);
  const fill = join(disk, 'fill');
  for (let size = 512 << 10; size >= 1; size >>= 1) {
    try {
      writeFileSync(fill, Buffer.alloc(size), { flag: 'a' });
    } catch {
      // A smaller piece may still fit.
    }
  }
  const id = turfd.id('w');
  for (const args of [
    ['fork', seed, id],
    ['fork', '--idle', '10s', seed, id],
    ['create', '--bundle', path, id],
  ]) {
    const outcome = await turfd.turf(args);
    t.match(outcome, { status: 1, stderr: /^turf: .*(no space left|ENOSPC)/i }, args.join(' '));
    t.notOk(readdirSync(turfd.root).includes(id), 'no directory');
    t.same(cgroupsAbout(id), [], 'no cgroup');
  }
  rmSync(fill);
  await turfd.ok(['fork', seed, id]);
  await consistent(t, turfd, id);
});
