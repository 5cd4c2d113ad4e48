import t from 'tap';
import type { OciMount } from '../../../../oci-spec/config.js';
import { compile, MINIMAL, withLinux } from './plan-fixture.js';

const RDONLY = 1;
const NOSUID = 2;
const NODEV = 4;
const NOEXEC = 8;
const CREATE_DIR = 1;
const CREATE_LIKE = 16;
const RECURSIVE = 4;
const REC = 0x4000;

function mount(...mounts: OciMount[]): ReturnType<typeof compile> {
  return compile({ ...MINIMAL, mounts });
}

await t.test('a file system with attributes, data and a label', (t) => {
  const { all, labels } = mount({
    destination: 'dev/./shm/',
    type: 'tmpfs',
    source: 'shm',
    options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=64k'],
  });
  t.same(all('MOUNT_FS'), [
    {
      fstype: 'tmpfs',
      source: 'shm',
      target: '/dev/shm',
      attrSet: NOSUID | NOEXEC | NODEV,
      propagation: 0,
      flags: CREATE_DIR,
      data: [
        ['mode', '1777'],
        ['size', '64k'],
      ],
    },
  ]);
  t.same(labels('MOUNT_FS'), ['mounts[0]']);
  t.end();
});

await t.test('a read-only tmpfs is made read-only once everything is in it', (t) => {
  const { all, ops } = mount(
    { destination: '/ro', type: 'tmpfs', source: 'tmpfs', options: ['ro', 'nosuid'] },
    { destination: '/proc', type: 'proc', source: 'proc', options: ['ro'] },
  );
  t.match(all('MOUNT_FS'), [
    { target: '/ro', attrSet: NOSUID },
    { target: '/proc', attrSet: RDONLY, data: [] },
  ]);
  const late = ops.findIndex(({ op, fields }) => op === 'MOUNT_SETATTR' && fields['target'] === '/ro');
  t.match(ops[late]?.fields, { attrSet: RDONLY, attrClear: 0, recursive: 0 });
  t.ok(late > ops.findIndex(({ op }) => op === 'PIVOT_ROOT'));
  t.end();
});

await t.test('a read-only disk is read-only as a file system too', (t) => {
  const { all } = mount({ destination: '/d', type: 'ext4', source: '/dev/vda', options: ['ro', 'sync'] });
  t.match(all('MOUNT_FS'), [
    {
      attrSet: RDONLY,
      data: [
        ['sync', ''],
        ['ro', ''],
      ],
    },
  ]);
  t.end();
});

await t.test(
  'a bind mount: flags for its top, "r" flags for the tree, relative source in the bundle',
  (t) => {
    const { all } = mount(
      { destination: '/a', type: 'none', source: 'data', options: ['bind', 'ro'] },
      { destination: '/b', type: 'bind', source: '/host', options: ['rbind', 'rro', 'rw', 'rprivate'] },
      { destination: '/c', type: 'bind', source: '/host', options: ['noatime'] },
    );
    t.match(all('MOUNT_BIND'), [
      { source: '/bundle/data', tree: -1, target: '/a', attrSet: RDONLY, attrClear: 0, flags: CREATE_LIKE },
      {
        source: '/host',
        target: '/b',
        attrSet: 0,
        attrClear: RDONLY,
        attrSetRecursive: RDONLY,
        propagation: 0x40000 | REC,
        flags: CREATE_LIKE | RECURSIVE,
      },
      { target: '/c', attrSet: 0x10, attrClear: 0x70, flags: CREATE_LIKE },
    ]);
    t.end();
  },
);

await t.test('a bind source that the daemon opened travels with the plan', (t) => {
  const { all, plan } = compile(
    { ...MINIMAL, mounts: [{ destination: '/a', type: 'bind', source: '/a', options: ['bind'] }] },
    { bindSourceFds: new Map([[0, 77]]) },
  );
  t.equal(plan.fds[Number(all('MOUNT_BIND')[0]?.['tree'])], 77);
  t.end();
});

await t.test('every propagation option', (t) => {
  const flags = { private: 0x40000, slave: 0x80000, shared: 0x100000, unbindable: 0x20000 };
  for (const [name, flag] of Object.entries(flags)) {
    for (const [option, propagation] of [
      [name, flag],
      [`r${name}`, flag | REC],
    ] as const) {
      const { all } = mount({ destination: '/a', source: '/a', options: ['rbind', option] });
      t.equal(all('MOUNT_BIND')[0]?.['propagation'], propagation, option);
    }
  }
  t.end();
});

await t.test('several propagations are applied one after the other', (t) => {
  const { all } = mount({ destination: '/a', source: '/a', options: ['bind', 'slave', 'rshared'] });
  t.match(all('MOUNT_BIND'), [{ propagation: 0x80000 }]);
  t.match(all('MOUNT_SETATTR'), [{ target: '/a', propagation: 0x100000, recursive: 1 }]);
  t.end();
});

await t.test('a remount changes attributes only', (t) => {
  const { all, names } = mount({
    destination: '/a',
    source: '/a',
    options: ['bind', 'remount', 'ro', 'exec'],
  });
  t.match(all('MOUNT_SETATTR'), [{ target: '/a', attrSet: RDONLY, attrClear: NOEXEC, recursive: 0 }]);
  t.notOk(names.includes('MOUNT_BIND'));
  t.end();
});

await t.test('a remount that is no bind changes the file system, then the mount', (t) => {
  const { all, names } = mount({ destination: '/a', options: ['remount', 'nosuid', 'sync', 'size=1m'] });
  t.match(all('RECONFIGURE'), [
    {
      target: '/a',
      options: [
        ['sync', ''],
        ['size', '1m'],
      ],
    },
  ]);
  t.ok(names.indexOf('RECONFIGURE') < names.indexOf('MOUNT_SETATTR'));
  t.match(all('MOUNT_SETATTR'), [{ attrSet: NOSUID }]);
  t.end();
});

await t.test('an option without meaning for a bind mount or a remount is refused by name', (t) => {
  for (const options of [
    ['bind', 'acl'],
    ['bind', 'remount', 'sync'],
    ['bind', 'remount', 'size=1'],
  ]) {
    t.throws(() => mount({ destination: '/a', source: '/a', options }), {
      code: 'TURF_ERR_UNSUPPORTED',
      path: 'mounts[0].options',
      message: /"(acl|size|sync)"/,
    });
  }
  for (const ignored of ['mode=755', 'sync', 'dirsync', 'lazytime', 'nofail', 'x-systemd.automount'])
    t.doesNotThrow(() => mount({ destination: '/a', source: '/a', options: ['bind', ignored] }), ignored);
  t.end();
});

await t.test('sysfs is bound where the user namespace does not own the network', (t) => {
  const mounts: OciMount[] = [
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro', 'nosuid'] },
  ];
  const user = [{ type: 'user' }, { type: 'mount' }] as const;
  const bound = compile(withLinux({ namespaces: user }, { mounts }));
  t.match(bound.all('MOUNT_BIND')[0], {
    source: '/sys',
    attrSetRecursive: RDONLY | NOSUID,
    flags: CREATE_DIR | RECURSIVE,
  });
  const own = compile(withLinux({ namespaces: [...user, { type: 'network' }] }, { mounts }));
  t.match(own.all('MOUNT_FS'), [{ fstype: 'sysfs', attrSet: RDONLY | NOSUID }]);
  t.end();
});

await t.test('linux.mountLabel goes to file systems that take a context', (t) => {
  const mounts: OciMount[] = [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/t', type: 'tmpfs', source: 'tmpfs' },
  ];
  const { all } = compile(withLinux({ mountLabel: 'system_u:object_r:x:s0' }, { mounts }));
  t.same(
    all('MOUNT_FS').map(({ data }) => data),
    [[], [['context', 'system_u:object_r:x:s0']]],
  );
  const without = compile(withLinux({ mountLabel: 'system_u:object_r:x:s0' }, { mounts }), {
    selinux: false,
  });
  t.same(
    without.all('MOUNT_FS').map(({ data }) => data),
    [[], []],
    'and nowhere without SELinux',
  );
  t.end();
});
