import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { CgroupDriver } from '../../daemon/cgroups/driver.js';
import { detectLayout } from '../../daemon/cgroups/layout.js';
import { loadDeviceFilter } from '../../native-shim/device-filter.js';
import { loadOpenAs } from '../../native-shim/open-as.js';

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
  const driver = new CgroupDriver({
    layout: { mode: 'v2', root: root ?? '' },
    manager: 'cgroupfs',
    attachDeviceFilter: loadDeviceFilter(),
    openAs: loadOpenAs(),
  });
  const cgroup = driver.create({
    id: 'c1',
    cgroupsPath: `${parent}/c1`,
    resources: { devices: [{ allow: false }] },
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

  const restored = driver.restore(cgroup.describe());
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
  const driver = new CgroupDriver({
    layout: { mode: 'v2', root: root ?? '' },
    manager: 'cgroupfs',
    attachDeviceFilter: () => test.fail('must not come to the device program'),
    openAs: loadOpenAs(),
  });
  const create = (): unknown =>
    driver.create({ id: 'c2', cgroupsPath: `${parent}/c2`, resources: { unified: { 'nosuch.max': '1' } } });
  test.throws(create, {
    code: 'TURF_ERR_CGROUP',
    message: 'linux.resources.unified.nosuch.max: the nosuch controller is not available on this machine',
  });
  test.notOk(existsSync(join(root ?? '', parent, 'c2')));
  test.end();
});
