import { spawn } from 'node:child_process';
import t from 'tap';
import { bundle, script } from './harness/bundle.js';
import type { BundleConfig } from './harness/config.js';
import { childrenOf, isAlive, namespaceOf, statusField } from './harness/processes.js';
import { requires } from './harness/requires.js';
import { eventually, Turfd } from './harness/turfd.js';

/** OCI name and name in /proc/PID/ns. */
const KINDS = [
  ['pid', 'pid'],
  ['network', 'net'],
  ['ipc', 'ipc'],
  ['uts', 'uts'],
  ['mount', 'mnt'],
  ['cgroup', 'cgroup'],
  ['time', 'time'],
] as const;

const without = (config: BundleConfig, type: string): void => {
  config.linux.namespaces = config.linux.namespaces.filter((one) => one.type !== type);
  if (type === 'uts') delete config.hostname;
};

await t.test('namespaces', requires(), async (t) => {
  const turfd = await Turfd.start(t);

  for (const [type, proc] of KINDS) {
    await t.test(`a new ${type} namespace`, requires(`namespace:${proc}`), async (t) => {
      const id = turfd.id(`new${proc}`);
      const { path } = bundle(t, ['sleep', '1000'], (config) => {
        without(config, type);
        config.hostname = 'x';
        config.linux.namespaces.push({ type });
      });
      await turfd.ok(['run', '--detach', '--bundle', path, id]);
      const { pid } = await turfd.state(id);
      t.not(namespaceOf(pid, proc), namespaceOf('self', proc));
      await turfd.ok(['delete', '--force', id]);
    });
  }

  for (const [type, proc] of KINDS.filter(([type]) => type !== 'mount')) {
    await t.test(`without a ${type} namespace the container shares the host's`, async (t) => {
      const id = turfd.id(`no${proc}`);
      const { path } = bundle(t, ['sleep', '1000'], (config) => {
        without(config, type);
      });
      await turfd.ok(['run', '--detach', '--bundle', path, id]);
      const { pid } = await turfd.state(id);
      t.equal(namespaceOf(pid, proc), namespaceOf('self', proc));
      await turfd.ok(['kill', '--all', id, 'KILL']);
      await turfd.until(id, 'stopped');
      await turfd.ok(['delete', id]);
      await eventually('its process to end', () => !isAlive(pid));
    });
  }

  await t.test('namespaces are joined by path', async (t) => {
    const holder = spawn('unshare', ['--net', '--ipc', '--uts', '--pid', '--fork', 'sleep', '1000'], {
      stdio: 'ignore',
    });
    t.teardown(() => holder.kill('SIGKILL'));
    const outer = holder.pid ?? 0;
    await eventually('unshare to fork', () => childrenOf(outer).length > 0);
    const inner = childrenOf(outer)[0] ?? 0;
    t.teardown(() => process.kill(inner, 'SIGKILL'));
    for (const [type, proc] of KINDS.filter(([type]) => ['pid', 'network', 'ipc', 'uts'].includes(type))) {
      const id = turfd.id(`path${proc}`);
      const { path } = bundle(t, ['sleep', '1000'], (config) => {
        without(config, type);
        delete config.hostname;
        config.linux.namespaces.push({ type, path: `/proc/${inner}/ns/${proc}` });
      });
      await turfd.ok(['run', '--detach', '--bundle', path, id]);
      const { pid } = await turfd.state(id);
      t.equal(namespaceOf(pid, proc), namespaceOf(inner, proc), type);
      await turfd.ok(['kill', id, 'KILL']);
      await turfd.until(id, 'stopped');
      await turfd.ok(['delete', id]);
    }
  });

  await t.test('a path of another kind of namespace is refused', async (t) => {
    const { path } = bundle(t, ['true'], (config) => {
      without(config, 'network');
      config.linux.namespaces.push({ type: 'network', path: '/proc/1/ns/uts' });
    });
    const outcome = await turfd.turf(['create', '--bundle', path, turfd.id('kind')]);
    t.match(outcome, { status: 1, stderr: /\/proc\/1\/ns\/uts/ });
    t.strictSame(turfd.remains(), []);
  });

  await t.test('a new PID namespace: the program is 1 and sees itself only', async (t) => {
    const { path } = bundle(t, script('echo $$; ls /proc | grep -c "^[0-9]"'));
    // sh, ls and grep.
    t.match((await turfd.turf(['run', '--bundle', path, turfd.id('pid1')])).stdout, /^1\n[123]\n$/);
  });

  await t.test('a new network namespace has loopback, up', async (t) => {
    const { path } = bundle(t, script('ls /sys/class/net; cat /sys/class/net/lo/flags'));
    const { stdout } = await turfd.turf(['run', '--bundle', path, turfd.id('lo')]);
    t.match(stdout, /^lo\n0x9\n$/);
  });
});

await t.test('user namespaces', requires('namespace:user'), async (t) => {
  const turfd = await Turfd.start(t);
  const mapped = (config: BundleConfig): void => {
    config.linux.namespaces.push({ type: 'user' });
    config.linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
    config.linux.gidMappings = [{ containerID: 0, hostID: 200_000, size: 65_536 }];
  };

  await t.test('ids are mapped as asked', async (t) => {
    const { path } = bundle(t, script('id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map'), mapped);
    const { stdout, status } = await turfd.turf(['run', '--bundle', path, turfd.id('map')]);
    t.equal(status, 0);
    t.match(stdout, /^0\n0\n +0 +100000 +65536\n +0 +200000 +65536\n$/);
  });

  await t.test('the process has the mapped id on the host, and no privilege there', async (t) => {
    const id = turfd.id('host');
    const { path } = bundle(t, ['sleep', '1000'], (config) => {
      mapped(config);
      config.process.user = { uid: 7, gid: 8 };
    });
    await turfd.ok(['run', '--detach', '--bundle', path, id]);
    const { pid } = await turfd.state(id);
    t.equal(statusField(pid, 'Uid').split(/\s+/)[0], '100007');
    t.equal(statusField(pid, 'Gid').split(/\s+/)[0], '200008');
    await turfd.ok(['delete', '--force', id]);
  });

  await t.test('default devices are there', async (t) => {
    const { path } = bundle(t, script('echo x > /dev/null && head -c 4 /dev/zero | wc -c'), mapped);
    t.match(await turfd.turf(['run', '--bundle', path, turfd.id('dev')]), { status: 0, stdout: '4\n' });
  });

  await t.test('a user namespace without mappings is refused', async (t) => {
    const { path } = bundle(t, ['true'], (config) => config.linux.namespaces.push({ type: 'user' }));
    t.match(await turfd.turf(['create', '--bundle', path, turfd.id('nomap')]), {
      status: 1,
      stderr: /[mM]apping/,
    });
  });
});
