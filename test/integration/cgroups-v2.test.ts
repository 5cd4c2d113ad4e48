import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { createCgroup } from '../../daemon/cgroups/create.js';
import { restoreDirectories } from '../../daemon/cgroups/directories-cgroup.js';
import { detectLayout } from '../../daemon/cgroups/layout.js';
import { loadDeviceFilter } from '../../native-shim/device-filter.js';

/* The unified hierarchy of a hybrid machine stands for a v2 machine: real files, few controllers. */
const machine = detectLayout();
const root = machine.mode === 'v2' ? machine.root : machine.unified;
const skip =
  process.getuid?.() !== 0 ? 'needs root' : root === undefined ? 'no cgroup v2 hierarchy is mounted' : false;
const parent = `/turf-test-${process.pid}`;

t.teardown(() => {
  const directory = join(root ?? '', parent);
  if (root !== undefined && existsSync(directory)) rmdirSync(directory);
});

void t.test('a container lives and dies in a v2 cgroup', { skip }, async (test) => {
  const cgroup = createCgroup({
    layout: { mode: 'v2', root: root ?? '' },
    path: `${parent}/c1`,
    resources: { devices: [{ allow: false }] },
    attachDeviceFilter: loadDeviceFilter(),
  });
  const directory = cgroup.paths.get('') ?? '';
  test.teardown(() => cgroup.destroy());
  test.equal(directory, join(root ?? '', parent, 'c1'));
  const child = spawn('sh', ['-c', 'read _; sleep 1000 & sleep 1000 & echo ready; wait'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const exit = new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)));
  cgroup.attach(child.pid ?? 0);
  child.stdin.write('\n');
  const ready = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  test.equal(ready.value, 'ready');
  test.equal(cgroup.procs().length, 3);
  test.match(readFileSync(`/proc/${child.pid ?? 0}/cgroup`, 'utf8'), `0::${parent}/c1`);

  const restored = restoreDirectories(cgroup.describe());
  await restored.freeze();
  test.match(readFileSync(join(directory, 'cgroup.events'), 'utf8'), 'frozen 1');
  await restored.thaw();
  await restored.kill(9);
  test.equal(await exit, 'SIGKILL');
  await restored.destroy();
  test.notOk(existsSync(directory));
  test.same(restored.procs(), []);
});

void t.test('a limit that the machine cannot keep leaves nothing behind', { skip }, (test) => {
  const create = (): unknown =>
    createCgroup({
      layout: { mode: 'v2', root: root ?? '' },
      path: `${parent}/c2`,
      resources: { unified: { 'nosuch.max': '1' } },
      attachDeviceFilter: () => test.fail('must not come to the device program'),
    });
  test.throws(create, {
    code: 'TURF_ERR_CGROUP',
    message: 'linux.resources.unified.nosuch.max: the nosuch controller is not available on this machine',
  });
  test.notOk(existsSync(join(root ?? '', parent, 'c2')));
  test.end();
});
