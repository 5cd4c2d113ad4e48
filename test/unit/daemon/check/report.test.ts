import t from 'tap';
import {
  gatherFacts,
  hugepageSizeName,
  type MachineFacts,
  parseCapabilities,
} from '../../../../daemon/check/facts.js';
import { isAtLeast, machineReport, reportOn } from '../../../../daemon/check/report.js';

const syscalls = {
  fsopen: true,
  pidfd_open: true,
  clone3: true,
  close_range: true,
  openat2: true,
  pidfd_getfd: true,
  mount_setattr: true,
};

const good: MachineFacts = {
  kernel: '6.1.0-18-amd64',
  syscalls,
  namespaces: ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'],
  maxUserNamespaces: 1000,
  apparmorRestrictsUserNamespaces: false,
  cgroups: { mode: 'v2', root: '/sys/fs/cgroup' },
  controllers: ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma'],
  seccompActions: ['errno', 'user_notif'],
  libseccomp: '2.5.4',
  lsm: ['apparmor'],
  overlayfs: true,
  processEvents: true,
  capabilities: new Set([21, 24]),
  node: '22.1.0',
  systemd: true,
  criu: '/usr/sbin/criu',
  hugepages: { transparent: 'madvise', reserved: 0, sizes: ['2MB'] },
};

const failing = (facts: MachineFacts): string[] =>
  reportOn(facts)
    .items.filter(({ ok }) => !ok)
    .map(({ name }) => name);

void t.test('a good machine lacks only what is optional', (test) => {
  test.ok(reportOn(good).ok);
  test.same(failing(good), ['lsm.selinux']);
  for (const { name, ok, without } of reportOn(good).items) test.equal(without === '', ok, name);
  test.end();
});

void t.test('exit codes need a kernel that remembers them or tells of them', (test) => {
  const of = (change: Partial<MachineFacts>): string[] =>
    failing({ ...good, lsm: ['selinux', 'apparmor'], ...change });
  test.same(of({}), []);
  test.same(of({ processEvents: false }), ['kernel.exit-status']);
  test.same(of({ processEvents: false, kernel: '6.15.0' }), []);
  test.end();
});

void t.test('what turf cannot do without makes the report fail', (test) => {
  const cases: [string, Partial<MachineFacts>][] = [
    ['kernel.version', { kernel: '5.10.0' }],
    ['kernel.openat2', { syscalls: { ...syscalls, openat2: false } }],
    ['namespace.pid', { namespaces: good.namespaces.filter((name) => name !== 'pid') }],
    ['namespace.user-limit', { maxUserNamespaces: 0 }],
    ['cgroup.mode', { cgroups: undefined }],
    ['capability.CAP_SYS_ADMIN', { capabilities: new Set() }],
    ['node.version', { node: '18.0.0' }],
  ];
  for (const [name, change] of cases) {
    const facts = { ...good, ...change };
    test.notOk(reportOn(facts).ok, name);
    test.ok(failing(facts).includes(name), name);
  }
  test.end();
});

void t.test('facts come from the files of the machine', (test) => {
  const root = test.testdir({
    proc: {
      self: {
        ns: { mnt: '', pid: '', pid_for_children: '' },
        mountinfo: '35 24 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
        status: 'Name:\tx\nCapEff:\t0000000000200001\n',
      },
      meminfo: 'MemTotal: 1 kB\nHugePages_Total:       7\n',
      filesystems: 'nodev\tsysfs\nnodev\toverlay\n',
      sys: { kernel: { osrelease: '6.1.0\n' }, user: { max_user_namespaces: '5\n' } },
    },
    sys: {
      fs: { cgroup: { 'cgroup.controllers': 'cpu memory\n' } },
      kernel: { mm: { hugepages: { 'hugepages-2048kB': {}, 'hugepages-1048576kB': {} } } },
    },
  });
  const facts = gatherFacts({ root, syscalls: () => syscalls, libseccomp: () => undefined, searchPath: '' });
  test.match(facts, {
    kernel: '6.1.0',
    namespaces: ['mnt', 'pid'],
    maxUserNamespaces: 5,
    controllers: ['cpu', 'memory'],
    overlayfs: true,
    systemd: false,
    criu: undefined,
    hugepages: { transparent: 'none', reserved: 7 },
  });
  test.same([...facts.capabilities], [0, 21]);
  test.same([...facts.hugepages.sizes].sort(), ['1GB', '2MB']);
  test.end();
});

void t.test('small parsers', (test) => {
  test.ok(isAtLeast('6.18.44-x', [5, 12]));
  test.notOk(isAtLeast('5.4.0', [5, 12]));
  test.equal(hugepageSizeName('hugepages-64kB'), '64KB');
  test.equal(hugepageSizeName('other'), undefined);
  test.same([...parseCapabilities('no such line')], []);
  test.end();
});

void t.test('this machine can be looked at', (test) => {
  const report = machineReport();
  test.ok(report.items.length > 30);
  test.equal(new Set(report.items.map(({ name }) => name)).size, report.items.length, 'names are unique');
  test.end();
});
