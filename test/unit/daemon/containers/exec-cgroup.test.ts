import { closeSync, mkdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { CgroupFacts } from '../../../../daemon/cgroups/facts.js';
import { openExecCgroup } from '../../../../daemon/containers/exec-cgroup.js';

/** Directories in the place of hierarchies; this process is in none of them. */
function hierarchies(t: Test): CgroupFacts {
  const root = t.testdir();
  const made = ['cpu,cpuacct', 'pids'].map((name) => {
    for (const at of ['', 'sub']) {
      mkdirSync(join(root, name, 'c1', at), { recursive: true });
      writeFileSync(join(root, name, 'c1', at, 'tasks'), '');
    }
    return { controllers: name.split(','), directory: join(root, name, 'c1'), made: true };
  });
  return { manager: 'cgroupfs', mode: 'v1', path: '/c1', hierarchies: made };
}

function opened(t: Test, facts: CgroupFacts, below: readonly string[] = []): string[] {
  const { tasksFds, cgroupFd } = openExecCgroup(facts, process.pid, below);
  const all = [...tasksFds, ...(cgroupFd === undefined ? [] : [cgroupFd])];
  t.teardown(() => all.forEach(closeSync));
  const root = t.testdirName;
  return all.map((fd) => readlinkSync(`/proc/self/fd/${fd}`).replace(`${root}/`, ''));
}

void t.test('every hierarchy of the container is entered', (t) => {
  t.same(opened(t, hierarchies(t)), ['cpu,cpuacct/c1/tasks', 'pids/c1/tasks']);
  t.end();
});

void t.test('--cgroup: a place below, of all hierarchies or of one controller', (t) => {
  const facts = hierarchies(t);
  t.same(opened(t, facts, ['sub']), ['cpu,cpuacct/c1/sub/tasks', 'pids/c1/sub/tasks']);
  t.same(opened(t, facts, ['cpuacct:sub']), ['cpu,cpuacct/c1/sub/tasks', 'pids/c1/tasks']);
  t.same(opened(t, facts, ['cpu,pids:sub']), ['cpu,cpuacct/c1/sub/tasks', 'pids/c1/sub/tasks']);
  t.end();
});

void t.test('--cgroup: what is refused', (t) => {
  const facts = hierarchies(t);
  for (const [below, reason] of [
    [['../c2'], /below the cgroup/],
    [['cpu:'], /below the cgroup/],
    [['nope:sub'], /unknown controller "nope"/],
    [['sub', 'sub'], /given twice/],
  ] as const)
    t.throws(() => openExecCgroup(facts, process.pid, below), { code: 'TURF_ERR_USAGE', message: reason });
  t.throws(() => openExecCgroup(facts, process.pid, ['missing']), { code: 'TURF_ERR_CGROUP' });
  t.end();
});

void t.test('v2: the directory is opened, not a file in it', (t) => {
  const root = t.testdir({ c1: { sub: {} } });
  const facts: CgroupFacts = {
    manager: 'cgroupfs',
    mode: 'v2',
    path: '/c1',
    hierarchies: [],
    unified: { controllers: [], directory: join(root, 'c1'), made: true },
  };
  t.same(opened(t, facts), ['c1']);
  t.same(opened(t, facts, ['sub']), ['c1/sub']);
  t.end();
});
