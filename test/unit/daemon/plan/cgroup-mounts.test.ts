import t from 'tap';
import type { CgroupView } from '../../../../daemon/plan/plan-input.js';
import { compile, HYBRID, V1, V2, withLinux } from './plan-fixture.js';

const ATTRS = 0xe;
const RDONLY = 1;

function mountCgroups(mounts: CgroupView, inNamespace: boolean): ReturnType<typeof compile> {
  const config = withLinux(
    { namespaces: [{ type: 'mount' }, ...(inNamespace ? [{ type: 'cgroup' } as const] : [])] },
    {
      mounts: [
        {
          destination: '/sys/fs/cgroup',
          type: 'cgroup',
          source: 'cgroup',
          options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
        },
      ],
    },
  );
  return compile(config, { cgroup: { enterFds: [], mounts } });
}

await t.test(
  'v1 in a cgroup namespace: a tmpfs, every hierarchy, links for joined names, read-only last',
  (t) => {
    const { ops, all } = mountCgroups(V1, true);
    const first = ops.findIndex(({ op }) => op === 'MOUNT_FS');
    t.match(ops.slice(first, first + 6), [
      { op: 'MOUNT_FS', fields: { fstype: 'tmpfs', target: '/sys/fs/cgroup', attrSet: ATTRS } },
      {
        op: 'MOUNT_FS',
        fields: {
          fstype: 'cgroup',
          target: '/sys/fs/cgroup/cpu,cpuacct',
          attrSet: ATTRS | RDONLY,
          data: [
            ['cpu', ''],
            ['cpuacct', ''],
          ],
        },
      },
      { op: 'SYMLINK', fields: { target: 'cpu,cpuacct', path: '/sys/fs/cgroup/cpu' } },
      { op: 'SYMLINK', fields: { target: 'cpu,cpuacct', path: '/sys/fs/cgroup/cpuacct' } },
      { op: 'MOUNT_FS', fields: { target: '/sys/fs/cgroup/systemd', data: [['name', 'systemd']] } },
      { op: 'MOUNT_SETATTR', fields: { target: '/sys/fs/cgroup', attrSet: RDONLY, recursive: 0 } },
    ]);
    t.equal(all('MOUNT_BIND').length, 0);
    t.end();
  },
);

await t.test('v1 without: the container’s own directory of every hierarchy is bound', (t) => {
  const { all } = mountCgroups(V1, false);
  t.match(all('MOUNT_BIND'), [
    {
      source: '/sys/fs/cgroup/cpu,cpuacct/c1',
      target: '/sys/fs/cgroup/cpu,cpuacct',
      attrSet: ATTRS | RDONLY,
    },
    { source: '/sys/fs/cgroup/systemd/c1', target: '/sys/fs/cgroup/systemd', attrSet: ATTRS | RDONLY },
  ]);
  t.end();
});

await t.test('hybrid adds the unified hierarchy', (t) => {
  t.match(mountCgroups(HYBRID, true).all('MOUNT_FS'), [
    { fstype: 'tmpfs' },
    { fstype: 'cgroup', data: [['pids', '']] },
    { fstype: 'cgroup2', target: '/sys/fs/cgroup/unified' },
  ]);
  t.match(mountCgroups(HYBRID, false).all('MOUNT_BIND'), [
    { source: '/sys/fs/cgroup/pids/c1' },
    { source: '/sys/fs/cgroup/unified/c1', target: '/sys/fs/cgroup/unified' },
  ]);
  t.end();
});

await t.test('v2 is one mount', (t) => {
  const inside = mountCgroups(V2, true);
  t.match(inside.all('MOUNT_FS'), [
    { fstype: 'cgroup2', source: 'cgroup', target: '/sys/fs/cgroup', attrSet: ATTRS | RDONLY },
  ]);
  t.equal(inside.all('MOUNT_SETATTR').length, 0);
  t.match(mountCgroups(V2, false).all('MOUNT_BIND'), [
    { source: '/sys/fs/cgroup/c1', target: '/sys/fs/cgroup', attrSet: ATTRS | RDONLY },
  ]);
  t.throws(() => mountCgroups({ mode: 'v2', hierarchies: [] }, false), { code: 'TURF_ERR_CGROUP' });
  t.end();
});
