import t from 'tap';
import { parseLayout, parseProcCgroup } from '../../../../daemon/cgroups/layout.js';

const pureV2 = `
24 29 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
35 24 0:30 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
36 24 0:31 / /sys/fs/pstore rw,relatime shared:10 - pstore pstore rw`;

const hybridSystemd = `
32 24 0:27 / /sys/fs/cgroup ro,nosuid,nodev,noexec shared:9 - tmpfs tmpfs ro,size=4096k,mode=755
33 32 0:28 / /sys/fs/cgroup/unified rw,nosuid,nodev shared:10 - cgroup2 cgroup2 rw,nsdelegate
34 32 0:29 / /sys/fs/cgroup/systemd rw,nosuid shared:11 - cgroup cgroup rw,xattr,name=systemd
38 32 0:33 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:15 - cgroup cgroup rw,cpu,cpuacct
39 32 0:34 / /sys/fs/cgroup/net_cls,net_prio rw,nosuid shared:16 - cgroup cgroup rw,net_cls,net_prio
40 32 0:35 / /sys/fs/cgroup/cpuset rw,nosuid shared:17 - cgroup cgroup rw,cpuset,clone_children`;

const v1 = `
40 32 0:35 /docker/abc /srv/copy/memory rw - cgroup cgroup rw,memory
41 32 0:36 / /sys/fs/cgroup/cpuacct,cpu rw - cgroup cgroup rw,seclabel,cpuacct,cpu
42 32 0:35 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory,release_agent=/sbin/x
43 32 0:37 / /sys/fs/cgroup/a\\040b rw - cgroup cgroup rw,none,name=own`;

void t.test('a v2 machine', (test) => {
  test.same(parseLayout(pureV2), { mode: 'v2', root: '/sys/fs/cgroup' });
  test.end();
});

void t.test('a hybrid machine as systemd mounts it, controllers mounted together', (test) => {
  test.same(parseLayout(hybridSystemd), {
    mode: 'hybrid',
    unified: '/sys/fs/cgroup/unified',
    hierarchies: [
      { controllers: ['name=systemd'], mountPoint: '/sys/fs/cgroup/systemd', mountName: 'systemd' },
      { controllers: ['cpu', 'cpuacct'], mountPoint: '/sys/fs/cgroup/cpu,cpuacct', mountName: 'cpu,cpuacct' },
      {
        controllers: ['net_cls', 'net_prio'],
        mountPoint: '/sys/fs/cgroup/net_cls,net_prio',
        mountName: 'net_cls,net_prio',
      },
      { controllers: ['cpuset'], mountPoint: '/sys/fs/cgroup/cpuset', mountName: 'cpuset' },
    ],
  });
  test.end();
});

void t.test('a v1 machine: a whole hierarchy is preferred to a mounted part, names are unescaped', (test) => {
  test.same(parseLayout(v1), {
    mode: 'v1',
    hierarchies: [
      { controllers: ['cpuacct', 'cpu'], mountPoint: '/sys/fs/cgroup/cpuacct,cpu', mountName: 'cpuacct,cpu' },
      { controllers: ['memory'], mountPoint: '/sys/fs/cgroup/memory', mountName: 'memory' },
      { controllers: ['name=own'], mountPoint: '/sys/fs/cgroup/a b', mountName: 'a b' },
    ],
  });
  test.end();
});

void t.test('no cgroup file system is an error', (test) => {
  test.throws(() => parseLayout('24 29 0:22 / /sys rw - sysfs sysfs rw'), { code: 'TURF_ERR_CGROUP' });
  test.end();
});

void t.test('where a process is', (test) => {
  const paths = parseProcCgroup('9:name=systemd:/init\n4:cpu,cpuacct:/a:b\n0::/x.scope\n');
  test.same(
    [...paths],
    [
      ['name=systemd', '/init'],
      ['cpu,cpuacct', '/a:b'],
      ['', '/x.scope'],
    ],
  );
  test.end();
});
