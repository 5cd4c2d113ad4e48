import { spawn } from 'node:child_process';
import { closeSync, existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import type { CgroupHandle } from '../../daemon/cgroups/cgroup.js';
import { createCgroup } from '../../daemon/cgroups/create.js';
import { restoreDirectories } from '../../daemon/cgroups/directories-cgroup.js';
import { cgroupFactsSchema } from '../../daemon/cgroups/facts.js';
import { detectLayout } from '../../daemon/cgroups/layout.js';
import { loadDeviceFilter } from '../../native-shim/device-filter.js';
import type { OciResources } from '../../oci-spec/config.js';

if (process.getuid?.() !== 0) t.bailout('needs root: it makes control groups');

const layout = detectLayout();
const attachDeviceFilter = loadDeviceFilter();
const parent = `/turf-test-${process.pid}`;
const mountPoints =
  layout.mode === 'v2'
    ? [layout.root]
    : [
        ...layout.hierarchies.map(({ mountPoint }) => mountPoint),
        ...(layout.unified === undefined ? [] : [layout.unified]),
      ];
const controllers = new Set(
  layout.mode === 'v2'
    ? readFileSync(join(layout.root, 'cgroup.controllers'), 'utf8').trim().split(' ')
    : layout.hierarchies.flatMap((hierarchy) => hierarchy.controllers),
);

t.teardown(() => {
  for (const mountPoint of mountPoints) {
    const directory = join(mountPoint, parent);
    if (existsSync(directory)) rmdirSync(directory);
  }
});

function make(test: Test, name: string, resources?: OciResources): CgroupHandle {
  const cgroup = createCgroup({
    layout,
    path: `${parent}/${name}`,
    attachDeviceFilter,
    ...(resources ? { resources } : {}),
  });
  test.teardown(async () => {
    await cgroup.kill(9);
    await cgroup.destroy();
  });
  return cgroup;
}

const leftovers = (name: string): string[] =>
  mountPoints.map((mountPoint) => join(mountPoint, parent, name)).filter((path) => existsSync(path));

/** A shell that waits for a line before it runs `script`, so that it can be moved first. */
function shell(script: string): {
  pid: number;
  go: () => void;
  line: () => Promise<string>;
  exit: Promise<void>;
} {
  const child = spawn('sh', ['-c', `read _; ${script}`], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exit = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  return {
    pid: child.pid ?? 0,
    go: () => child.stdin.write('\n'),
    line: async () => {
      const next = await lines.next();
      return next.done === true ? '' : next.value;
    },
    exit,
  };
}

void t.test('a cgroup exists in every hierarchy of the machine, and destroy removes it', async (test) => {
  const cgroup = make(test, 'every');
  test.equal(leftovers('every').length, mountPoints.length);
  test.same(cgroup.procs(), []);
  await cgroup.destroy();
  test.same(leftovers('every'), []);
  await cgroup.destroy();
});

void t.test('facts survive JSON, and a restored handle works like the first', async (test) => {
  const cgroup = make(test, 'facts');
  const facts = cgroupFactsSchema.parse(JSON.parse(JSON.stringify(cgroup.describe())));
  const restored = restoreDirectories(facts);
  test.same(restored.describe(), cgroup.describe());
  await restored.destroy();
  test.same(leftovers('facts'), []);
});

void t.test('limits are what the kernel holds afterwards', (test) => {
  const cases: [controller: string, resources: OciResources, v1: string, v2: string, expected: string][] = [
    ['memory', { memory: { limit: 64 << 20 } }, 'memory.limit_in_bytes', 'memory.max', String(64 << 20)],
    ['pids', { pids: { limit: 17 } }, 'pids.max', 'pids.max', '17'],
    ['pids', { pids: { limit: 0 } }, 'pids.max', 'pids.max', 'max'],
    ['cpuset', { cpu: { cpus: '0' } }, 'cpuset.cpus', 'cpuset.cpus', '0'],
    [
      'memory',
      { memory: { reservation: 32 << 20 } },
      'memory.soft_limit_in_bytes',
      'memory.low',
      String(32 << 20),
    ],
  ];
  for (const [index, [controller, resources, v1, v2, expected]] of cases.entries()) {
    const name = `${controller} ${JSON.stringify(resources)}`;
    if (!controllers.has(controller)) {
      test.comment(`skipped ${name}: no ${controller} controller here`);
      continue;
    }
    const cgroup = make(test, `limit${index}`, resources);
    const directory = cgroup.paths.get(layout.mode === 'v2' ? '' : controller) ?? '';
    const file = join(directory, layout.mode === 'v2' ? v2 : v1);
    test.equal(readFileSync(file, 'utf8').trim(), expected, name);
  }
  test.end();
});

void t.test('memory and swap limits of v1 can be given together', (test) => {
  if (layout.mode === 'v2') return void test.end();
  const cgroup = make(test, 'swap', {
    memory: { limit: 32 << 20, swap: 48 << 20, kernel: 1 },
    cpu: { shares: 512, quota: 50_000, period: 100_000, burst: 1000 },
  });
  const read = (controller: string, file: string): string =>
    readFileSync(join(cgroup.paths.get(controller) ?? '', file), 'utf8').trim();
  test.equal(read('memory', 'memory.limit_in_bytes'), String(32 << 20));
  test.equal(read('memory', 'memory.memsw.limit_in_bytes'), String(48 << 20));
  test.equal(read('cpu', 'cpu.shares'), '512');
  test.equal(read('cpu', 'cpu.cfs_quota_us'), '50000');
  test.equal(read('cpu', 'cpu.cfs_burst_us'), '1000');
  test.end();
});

void t.test('a hybrid machine: limits of controllers that live on the unified hierarchy', (test) => {
  const root = layout.mode === 'hybrid' ? layout.unified : undefined;
  const available = root === undefined ? '' : readFileSync(join(root, 'cgroup.controllers'), 'utf8');
  if (root === undefined || !/\bhugetlb\b/.test(available)) {
    test.comment('skipped: no hugetlb controller on a unified hierarchy beside v1');
    return void test.end();
  }
  const cgroup = make(test, 'huge', { hugepageLimits: [{ pageSize: '2MB', limit: 4 << 20 }] });
  const directory = cgroup.paths.get('') ?? '';
  test.equal(readFileSync(join(directory, 'hugetlb.2MB.max'), 'utf8').trim(), String(4 << 20));
  test.equal(readFileSync(join(directory, 'hugetlb.2MB.rsvd.max'), 'utf8').trim(), String(4 << 20));
  test.end();
});

void t.test('devices: only the default ones and those allowed', async (test) => {
  const rules = [{ allow: true, type: 'c', major: 1, minor: 11, access: 'r' }]; // kmsg
  for (const [name, devices, expected] of [
    ['dev0', [], 'null kmsg-denied'],
    ['dev1', rules, 'null kmsg-read'],
  ] as const) {
    const cgroup = make(test, name, { devices });
    const probe = shell(
      'r=; : < /dev/null && r=null; if (: < /dev/kmsg) 2>/dev/null; then r="$r kmsg-read"; else r="$r kmsg-denied"; fi; echo "$r"',
    );
    cgroup.attach(probe.pid);
    probe.go();
    test.equal(await probe.line(), expected, name);
    await probe.exit;
  }
});

void t.test('a failed limit names field, file, value and errno, and leaves nothing behind', (test) => {
  test.throws(() => make(test, 'bad', { cpu: { cpus: '4095' } }), {
    code: 'TURF_ERR_CGROUP',
    path: 'linux.resources.cpu.cpus',
    message: /linux\.resources\.cpu\.cpus: write "4095" to \/.*cpuset\.cpus: E[A-Z]+: /,
  });
  test.same(leftovers('bad'), []);
  test.end();
});

void t.test('a limit whose controller is missing is an error', (test) => {
  if (controllers.has('rdma')) return void test.end();
  test.throws(() => make(test, 'rdma', { rdma: { mlx5_0: { hcaHandles: 3 } } }), {
    code: 'TURF_ERR_CGROUP',
    message: 'linux.resources.rdma.mlx5_0: the rdma controller is not available on this machine',
  });
  test.same(leftovers('rdma'), []);
  test.end();
});

void t.test('an existing cgroup is taken when empty, refused when a process is in it', async (test) => {
  const first = make(test, 'shared');
  const second = make(test, 'shared');
  test.ok([...second.describe().hierarchies, second.describe().unified].every((d) => d?.made !== true));
  const inside = shell('sleep 1000');
  first.attach(inside.pid);
  test.throws(() => make(test, 'shared'), {
    code: 'TURF_ERR_CGROUP',
    message: /is not empty: it has 1 processes/,
  });
  await second.destroy();
  test.equal(leftovers('shared').length, mountPoints.length, 'only what was made is removed');
  await first.kill(9);
  await inside.exit;
});

void t.test('enter gives close-on-exec descriptors for every hierarchy', (test) => {
  const { tasksFds, cgroupFd } = make(test, 'enter').enter();
  test.equal(tasksFds.length, layout.mode === 'v2' ? 0 : layout.hierarchies.length);
  test.equal(cgroupFd === undefined, layout.mode === 'v1');
  for (const fd of [...tasksFds, ...(cgroupFd === undefined ? [] : [cgroupFd])]) {
    test.match(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'), /flags:\t02/, 'O_CLOEXEC');
    closeSync(fd);
  }
  test.end();
});

void t.test('procs, freeze, thaw, kill, stats', async (test) => {
  const cgroup = make(test, 'family', { pids: { limit: 20 } });
  const family = shell('sleep 1000 & sleep 1000 & echo ready; wait');
  cgroup.attach(family.pid);
  family.go();
  test.equal(await family.line(), 'ready');
  const pids = cgroup.procs();
  test.equal(pids.length, 3);
  test.ok(pids.includes(family.pid));
  test.equal(cgroup.stats().pids.current, 3);
  test.equal(cgroup.stats().pids.limit, 20);
  test.ok((cgroup.stats().memory.usage ?? 0) > 0);
  test.equal(cgroup.oomCount(), 0);
  await cgroup.freeze();
  await cgroup.kill(9);
  await family.exit;
  await cgroup.destroy();
  test.same(cgroup.procs(), []);
  test.same(leftovers('family'), []);
});

void t.test('destroy removes cgroups that the container made inside', async (test) => {
  const cgroup = make(test, 'nested');
  const { mkdirSync } = await import('node:fs');
  for (const directory of new Set(cgroup.paths.values()))
    mkdirSync(join(directory, 'a/b'), { recursive: true });
  await cgroup.destroy();
  test.same(leftovers('nested'), []);
});

void t.test('destroy says who is still inside', async (test) => {
  const cgroup = make(test, 'busy');
  const inside = shell('sleep 1000');
  cgroup.attach(inside.pid);
  await test.rejects(cgroup.destroy(), {
    code: 'TURF_ERR_CGROUP',
    message: new RegExp(`still in use: it has processes ${inside.pid}`),
  });
  process.kill(inside.pid, 9);
  await inside.exit;
});

void t.test('nothing of these tests is left', (test) => {
  for (const mountPoint of mountPoints) {
    const directory = join(mountPoint, parent);
    const children = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    test.same(
      children.map(({ name }) => name),
      [],
    );
  }
  test.end();
});
