import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { detectLayout } from '../../daemon/cgroups/layout.js';
import { createCgroup } from '../../daemon/cgroups/create.js';
import { countsSwap, enterAs, workerResources } from '../../daemon/cgroups/worker.js';
import { loadDeviceFilter } from '../../native-shim/device-filter.js';
import { loadOpenAs } from '../../native-shim/open-as.js';

const layout = detectLayout();
const skip =
  process.getuid?.() !== 0
    ? 'needs root'
    : layout.mode === 'v2'
      ? 'v2 has no tasks files: workers are attached from outside'
      : false;
const UID = 100_123;
const parent = `/turf-test-${process.pid}`;

t.teardown(() => {
  if (layout.mode === 'v2') return;
  for (const { mountPoint } of layout.hierarchies) {
    if (existsSync(join(mountPoint, parent))) rmdirSync(join(mountPoint, parent));
  }
});

void t.test(
  'a process enters by descriptors of its own uid, and can move no process of another',
  { skip },
  (test) => {
    const cgroup = createCgroup({
      layout,
      path: `${parent}/worker`,
      resources: workerResources({ memory: 64 << 20, cpus: 0.5 }, countsSwap(layout)),
      scope: 'lean',
      attachDeviceFilter: loadDeviceFilter(),
    });
    test.teardown(() => cgroup.destroy());
    const limit = join(cgroup.paths.get('memory') ?? '', 'memory.limit_in_bytes');
    test.equal(readFileSync(limit, 'utf8').trim(), String(64 << 20));
    test.equal(readFileSync(join(cgroup.paths.get('cpu') ?? '', 'cpu.cfs_quota_us'), 'utf8').trim(), '50000');

    const { tasksFds, cgroupFd } = enterAs(cgroup, UID, loadOpenAs());
    test.equal(cgroupFd, undefined);
    test.equal(tasksFds.length, cgroup.describe().hierarchies.length);
    const victim = spawn('sleep', ['1000'], { stdio: 'ignore' });
    test.teardown(() => victim.kill('SIGKILL'));
    const script = `
    for ((fd = 3; fd < 3 + $1; fd++)); do printf %s "$2" >&$fd && echo moved; done
    echo "victim: $(cat /proc/$2/cgroup | tr '\\n' ' ')"
    for ((fd = 3; fd < 3 + $1; fd++)); do printf 0 >&$fd; done
    cat /proc/$$/cgroup`;
    const { stdout, stderr } = spawnSync(
      'bash',
      ['-c', script, 'bash', String(tasksFds.length), String(victim.pid ?? 0)],
      {
        uid: UID,
        gid: UID,
        stdio: ['ignore', 'pipe', 'pipe', ...tasksFds],
        encoding: 'utf8',
        env: { LC_ALL: 'C' },
      },
    );
    for (const fd of tasksFds) closeSync(fd);
    test.equal(
      stderr.match(/Permission denied/g)?.length,
      tasksFds.length,
      'EACCES for a process of another uid',
    );
    test.notMatch(stdout, 'moved');
    const victimLine = stdout.split('\n').find((line) => line.startsWith('victim:'));
    test.notMatch(victimLine ?? '', parent);
    for (const { controllers } of cgroup.describe().hierarchies) {
      test.match(stdout, `${controllers.join(',')}:${parent}/worker`, 'moved itself');
    }
    test.end();
  },
);

void t.test('opening as another uid leaves the credentials of the process as they were', { skip }, (test) => {
  const openAs = loadOpenAs();
  const status = (): string => readFileSync('/proc/thread-self/status', 'utf8');
  const credentials = (text: string): string[] =>
    text.split('\n').filter((line) => /^(Uid|Gid|Cap\w+):/.test(line));
  const before = credentials(status());
  const fd = openAs(UID, '/proc/self/status', 0);
  closeSync(fd);
  test.same(credentials(status()), before);
  test.throws(() => openAs(UID, '/nonexistent', 0), { code: 'ENOENT', message: /as uid 100123/ });
  test.same(credentials(status()), before);
  test.end();
});
