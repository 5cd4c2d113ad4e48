import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createCgroup } from '../../../../daemon/cgroups/create.js';
import type { CgroupHandle } from '../../../../daemon/cgroups/cgroup.js';
import type { OciResources } from '../../../../oci-spec/config.js';

/** A directory tree with the control files that a kernel would put there; the container's cgroup exists and is empty. */
function tree(
  test: Test,
  leafFiles: Readonly<Record<string, string>>,
  controllers = 'cpu io memory pids',
): string {
  const root = test.testdir({
    'cgroup.controllers': controllers,
    'cgroup.subtree_control': 'cpu',
    turf: { 'cgroup.subtree_control': 'cpu memory pids', c1: { 'cgroup.procs': '', ...leafFiles } },
  });
  return root;
}

function create(root: string, resources: OciResources, programs: Uint8Array[] = []): CgroupHandle {
  return createCgroup({
    layout: { mode: 'v2', root },
    path: '/turf/c1',
    resources,
    attachDeviceFilter: (_, program) => void programs.push(program),
  });
}

void t.test(
  'limits are written, controllers switched on where they are off, a device program attached',
  (test) => {
    const root = tree(test, { 'memory.max': '', 'memory.swap.max': '', 'cpu.max': '', 'io.weight': '' });
    const programs: Uint8Array[] = [];
    const resources = {
      memory: { limit: 5, swap: 5 },
      cpu: { quota: 7 },
      blockIO: { weight: 1000 },
    };
    const cgroup = create(root, resources, programs);
    const read = (file: string): string => readFileSync(join(root, file), 'utf8');
    test.equal(read('turf/c1/memory.max'), '5');
    test.equal(read('turf/c1/memory.swap.max'), '0');
    test.equal(read('turf/c1/cpu.max'), '7 100000');
    test.equal(read('turf/c1/io.weight'), '10000', 'no io.bfq.weight here');
    test.match(read('cgroup.subtree_control'), /^\+/);
    test.match(read('turf/cgroup.subtree_control'), /^\+io/);
    test.equal(programs.length, 1);
    test.same(cgroup.describe(), {
      manager: 'cgroupfs',
      mode: 'v2',
      path: '/turf/c1',
      hierarchies: [],
      unified: { controllers: [], directory: join(root, 'turf/c1'), made: false },
    });
    test.same(cgroup.enter().tasksFds, []);
    test.end();
  },
);

void t.test(
  'a missing controller and a missing file are errors by field; no swap to forbid is none',
  (test) => {
    const root = tree(test, { 'memory.max': '' });
    test.throws(() => create(root, { hugepageLimits: [{ pageSize: '2MB', limit: 1 }] }), {
      path: 'linux.resources.hugepageLimits[0]',
      message: /the hugetlb controller is not available on this machine/,
    });
    test.throws(() => create(root, { pids: { limit: 1 } }), {
      path: 'linux.resources.pids.limit',
      message: /the pids controller of this machine has no pids\.max/,
    });
    test.doesNotThrow(() => create(root, { memory: { limit: 9, swap: 9 } }));
    test.end();
  },
);

void t.test('checkBeforeUpdate refuses a limit below what is in use', (test) => {
  const root = tree(test, { 'memory.max': 'max', 'memory.current': '4096\n' });
  const limit = (bytes: number): OciResources => ({ memory: { limit: bytes, checkBeforeUpdate: true } });
  test.throws(() => create(root, limit(4095)), { message: /4095 is below the 4096 bytes in use/ });
  test.doesNotThrow(() => create(root, limit(4096)));
  test.end();
});

void t.test('a failed create takes back the directories that it made', (test) => {
  const root = test.testdir({ 'cgroup.controllers': '', 'cgroup.subtree_control': '' });
  test.throws(() => create(root, { pids: { limit: 1 } }));
  test.throws(() => readFileSync(join(root, 'turf')), { code: 'ENOENT' });
  test.end();
});

void t.test('a populated cgroup is refused, also when the process is in a child', (test) => {
  const root = tree(test, {});
  mkdirSync(join(root, 'turf/c1/child'));
  writeFileSync(join(root, 'turf/c1/child/cgroup.procs'), '12\n13\n');
  test.throws(() => create(root, {}), {
    path: 'linux.cgroupsPath',
    message: /is not empty: it has 2 processes/,
  });
  test.end();
});

void t.test('kill, freeze, thaw and counters use the v2 files', async (test) => {
  const root = tree(test, {
    'cgroup.kill': '',
    'cgroup.freeze': '0',
    'cgroup.events': 'populated 1\nfrozen 0\n',
    'memory.events': 'low 0\noom 4\noom_kill 3\n',
    'memory.current': '4096\n',
    'memory.max': 'max\n',
    'cpu.stat': 'usage_usec 7\nthrottled_usec 2\n',
    'pids.current': '2\n',
    'pids.max': '9\n',
  });
  const cgroup = create(root, {});
  writeFileSync(join(root, 'turf/c1/cgroup.events'), 'populated 1\nfrozen 1\n');
  const read = (file: string): string => readFileSync(join(root, 'turf/c1', file), 'utf8');
  await cgroup.kill(9);
  test.equal(read('cgroup.kill'), '1');
  await cgroup.freeze();
  test.equal(read('cgroup.freeze'), '1');
  await cgroup.thaw();
  test.equal(read('cgroup.freeze'), '0');
  rmSync(join(root, 'turf/c1/cgroup.freeze'));
  await test.resolves(cgroup.thaw(), 'what has gone is not frozen');
  test.equal(cgroup.oomCount(), 3);
  test.same(cgroup.stats(), {
    memory: { usage: 4096 },
    cpu: { usage: 7000, throttled: 2000 },
    pids: { current: 2, limit: 9 },
  });
});
