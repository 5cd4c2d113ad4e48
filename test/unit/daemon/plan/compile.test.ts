import t from 'tap';
import { defaultConfig, rootlessConfig } from '../../../../oci-spec/default-config.js';
import { compile, CONSOLE_SOCKET, MINIMAL, START_SOCKET, withLinux } from './plan-fixture.js';

/** Names with runs of the same operation written once. */
function shape(names: readonly string[]): string[] {
  return names.filter((name, i) => name !== names[i - 1]);
}

await t.test('the default config becomes these operations in this order', (t) => {
  const { names, plan } = compile(defaultConfig());
  t.same(shape(names), [
    'SYNC',
    'LOOPBACK_UP',
    'SESSION_KEYRING',
    'HOSTNAME',
    'PROPAGATION',
    'ROOTFS',
    'MOUNT_FS',
    'MOUNT_BIND',
    'MKNOD',
    'SYMLINK',
    'CONSOLE',
    'PIVOT_ROOT',
    'CHDIR',
    'READONLY_PATH',
    'MASK_PATH',
    'MOUNT_SETATTR',
    'RLIMIT',
    'CLOSE_FDS',
    'CHDIR',
    'DROP_BOUNDING',
    'USER',
    'UMASK',
    'CAPABILITIES',
    'NO_NEW_PRIVS',
    'FIND_PROGRAM',
    'WAIT_START',
    'EXEC',
  ]);
  t.equal(plan.cloneFlags, 0x20000000 | 0x40000000 | 0x08000000 | 0x04000000 | 0x00020000);
  t.equal(plan.labels.length, names.length);
  t.same(plan.fds, [CONSOLE_SOCKET, START_SOCKET]);
  t.end();
});

await t.test('where the daemon has nothing to do in between, the container does not wait for it', (t) => {
  const { names } = compile(defaultConfig(), { consoleSocketFd: CONSOLE_SOCKET, withoutSync: true });
  const waiting = compile(defaultConfig(), { consoleSocketFd: CONSOLE_SOCKET }).names;
  t.notOk(names.includes('SYNC'));
  t.same(
    names,
    waiting.filter((name) => name !== 'SYNC'),
  );
  t.end();
});

await t.test('in a user namespace all namespaces come with the clone, root comes after the id maps', (t) => {
  const { names, plan, all } = compile(rootlessConfig(1000, 1000));
  t.ok(plan.cloneFlags & 0x10000000, 'CLONE_NEWUSER');
  t.same(names.slice(0, 2), ['SYNC', 'BECOME_ROOT']);
  t.notOk(names.includes('MKNOD'), 'device nodes are bound');
  t.notOk(names.includes('LOOPBACK_UP'), 'the network is the host’s');
  t.match(
    all('MOUNT_BIND').map(({ source }) => source),
    [
      '/sys',
      '/sys/fs/cgroup/c1',
      '/dev/null',
      '/dev/zero',
      '/dev/full',
      '/dev/random',
      '/dev/urandom',
      '/dev/tty',
    ],
  );
  t.end();
});

await t.test(
  'the cgroup namespace is unshared after the SYNC in which the daemon attaches the process',
  (t) => {
    const { names, plan, all } = compile(withLinux({ namespaces: [{ type: 'mount' }, { type: 'cgroup' }] }), {
      cgroup: { enterFds: [30, 31], mounts: { mode: 'v2', hierarchies: [] } },
    });
    t.same(names.slice(0, 4), ['ENTER_CGROUP', 'ENTER_CGROUP', 'SYNC', 'UNSHARE']);
    t.same(all('UNSHARE'), [{ flags: 0x02000000 }]);
    t.same(plan.fds.slice(0, 2), [30, 31]);
    t.equal(plan.cloneFlags, 0x00020000);
    t.end();
  },
);

await t.test('namespaces by path are joined; user and PID namespace before the clone', (t) => {
  const path = '/proc/1/ns/x';
  const { plan, all, labels, names } = compile(
    withLinux({
      namespaces: [
        { type: 'user', path },
        { type: 'pid', path },
        { type: 'network', path },
        { type: 'ipc', path },
        { type: 'uts', path },
        { type: 'mount' },
      ],
    }),
    {
      namespaceFds: new Map([
        ['user', 20],
        ['pid', 21],
        ['network', 22],
        ['ipc', 23],
        ['uts', 24],
      ]),
    },
  );
  const at = (fd: number): number => plan.fds.indexOf(fd);
  t.equal(plan.cloneFlags, 0x00020000);
  t.equal(plan.userNsJoinIndex, at(20));
  t.equal(plan.pidNsJoinIndex, at(21));
  t.same(all('JOIN_NAMESPACE'), [
    { ns: at(23), type: 0x08000000 },
    { ns: at(24), type: 0x04000000 },
    { ns: at(22), type: 0x40000000 },
  ]);
  t.same(labels('JOIN_NAMESPACE'), [
    'linux.namespaces[3].path',
    'linux.namespaces[4].path',
    'linux.namespaces[2].path',
  ]);
  t.ok(names.includes('BECOME_ROOT'));
  t.notOk(names.includes('LOOPBACK_UP'));
  t.end();
});

await t.test('a namespace that nobody opened is an error of its field', (t) => {
  t.throws(() => compile(withLinux({ namespaces: [{ type: 'ipc', path: '/x' }] })), {
    code: 'TURF_ERR_CONFIG',
    path: 'linux.namespaces[0].path',
  });
  t.end();
});

await t.test('without a mount namespace nothing is mounted and the root is changed by chroot', (t) => {
  const { names, all } = compile({ ...MINIMAL, linux: { namespaces: [] } });
  t.same(
    names.filter((name) => name.startsWith('MOUNT') || name === 'PROPAGATION'),
    [],
  );
  t.same(all('PIVOT_ROOT'), [{ mode: 2 }]);
  t.end();
});

await t.test('without a mount namespace of its own a container takes its mounts along', (t) => {
  const mounts = [{ destination: '/proc', type: 'proc' }];
  const joined = new Map([['mount', 20]] as const);
  const linux = { namespaces: [{ type: 'mount', path: '/proc/1/ns/mnt' }] } as const;
  const user = { namespaces: [{ type: 'user', path: '/proc/1/ns/user' }] } as const;
  const userFd = { namespaceFds: new Map([['user', 21]] as const) };
  for (const { names, all } of [
    compile({ ...MINIMAL, linux: {}, mounts }),
    compile({ ...MINIMAL, linux, mounts }, { namespaceFds: joined }),
    compile({ ...MINIMAL, linux: { maskedPaths: ['/x'] } }),
    compile({ ...MINIMAL, linux: { readonlyPaths: ['/x'] } }),
    compile({ ...MINIMAL, linux: {}, root: { path: 'rootfs', readonly: true } }),
  ]) {
    t.same(all('BORROW_MOUNTS'), [{ back: 0 }, { back: 1 }]);
    const mount = (name: string): boolean => /^(PROPAGATION|ROOTFS|PIVOT|MOUNT|MASK|READONLY)/.test(name);
    const [first, last] = [names.indexOf('BORROW_MOUNTS'), names.lastIndexOf('BORROW_MOUNTS')];
    t.same(names.filter(mount), names.slice(first, last).filter(mount), 'all of them in between');
    t.same(all('PIVOT_ROOT'), [{ mode: 0 }]);
  }
  for (const [config, path] of [
    [{ ...MINIMAL, linux: user, mounts }, 'mounts'],
    [{ ...MINIMAL, linux: { ...user, maskedPaths: ['/x'] } }, 'linux.maskedPaths'],
    [{ ...MINIMAL, linux: { ...user, readonlyPaths: ['/x'] } }, 'linux.readonlyPaths'],
    [{ ...MINIMAL, linux: user, root: { path: 'rootfs', readonly: true } }, 'root.readonly'],
  ] as const) {
    t.throws(() => compile(config, userFd), { code: 'TURF_ERR_UNSUPPORTED', path });
  }
  t.end();
});

await t.test('a mount namespace that is joined is left as it is', (t) => {
  const { all, names } = compile(withLinux({ namespaces: [{ type: 'mount', path: '/ns' }] }), {
    namespaceFds: new Map([['mount', 20]]),
  });
  t.same(all('PIVOT_ROOT'), [{ mode: 2 }]);
  t.notOk(names.includes('PROPAGATION'));
  t.end();
});

await t.test('rootfsPropagation: what the namespace and the root get', (t) => {
  const cases = [
    [undefined, 0x80000, 0],
    ['private', 0x40000, 0x40000],
    ['rslave', 0x80000, 0x80000 | 0x4000],
    ['shared', 0x100000, 0x100000],
    ['rshared', 0x100000, 0x100000 | 0x4000],
    ['unbindable', 0x40000, 0x20000],
  ] as const;
  for (const [rootfsPropagation, namespace, root] of cases) {
    const { all } = compile(withLinux(rootfsPropagation === undefined ? {} : { rootfsPropagation }));
    t.same(all('PROPAGATION'), [{ propagation: namespace, recursive: 1 }], rootfsPropagation ?? 'none');
    t.same(all('ROOTFS'), [{ path: '/bundle/rootfs', tree: -1, propagation: root }]);
  }
  t.end();
});

await t.test('a root that is a detached mount travels with the plan', (t) => {
  const { all, plan } = compile(MINIMAL, { rootfsFd: 40, noPivot: true });
  t.equal(plan.fds[Number(all('ROOTFS')[0]?.['tree'])], 40);
  t.same(all('PIVOT_ROOT'), [{ mode: 1 }]);
  t.end();
});

await t.test('a terminal needs a console socket; without terminal the process gets a session', (t) => {
  const process = { ...MINIMAL.process, cwd: '/', terminal: true, consoleSize: { height: 24, width: 80 } };
  const config = { ...MINIMAL, process: { ...process, user: { uid: 1000, gid: 1000 } } };
  const { all, names } = compile(config);
  t.same(all('CONSOLE'), [{ socket: 0, rows: 24, columns: 80, uid: 1000, flags: 1 }]);
  t.notOk(names.includes('SETSID'));
  t.ok(compile(MINIMAL).names.includes('SETSID'));
  t.throws(() => compile(config, {}, {}), { code: 'TURF_ERR_USAGE', path: 'process.terminal' });
  t.end();
});

await t.test('hooks of the container run before the pivot and after the start', (t) => {
  const { names, all, labels } = compile({
    ...MINIMAL,
    hooks: {
      prestart: [{ path: '/daemon' }],
      createContainer: [{ path: '/bin/a', args: ['a', 'b'], env: ['K=V'], timeout: 5 }],
      startContainer: [{ path: '/bin/c' }],
    },
  });
  const [create, start] = all('HOOK');
  t.match(create, { path: '/bin/a', args: ['a', 'b'], env: ['K=V'], timeout: 5, phase: 'createContainer' });
  t.match(start, { path: '/bin/c', args: ['/bin/c'], env: [], timeout: 0, phase: 'startContainer' });
  t.match(create?.['stateJson'], /"status":"creating","pid":"@PID@"/);
  t.match(start?.['stateJson'], /"status":"created"/);
  t.same(labels('HOOK'), ['hooks.createContainer[0]', 'hooks.startContainer[0]']);
  t.ok(names.indexOf('HOOK') < names.indexOf('PIVOT_ROOT'));
  t.ok(names.lastIndexOf('HOOK') > names.indexOf('WAIT_START'));
  t.end();
});

await t.test('a config without a process cannot be compiled', (t) => {
  t.throws(() => compile({ ociVersion: '1.2.0' }), { code: 'TURF_ERR_CONFIG', path: 'process' });
  t.throws(() => compile({ ...MINIMAL, process: { cwd: '/', args: [] } }), { message: /^process.args: / });
  t.end();
});

await t.test('a config as podman writes it compiles, mounts in its order', (t) => {
  const guarded = ['nosuid', 'noexec', 'nodev'];
  const { all, names } = compile(
    {
      ...MINIMAL,
      hostname: 'f00',
      process: {
        args: ['echo', 'hi'],
        cwd: '/',
        env: ['PATH=/usr/bin:/bin', 'container=podman', 'HOME=/root'],
        user: { uid: 0, gid: 0, umask: 18, additionalGids: [0] },
        capabilities: { bounding: ['CAP_CHOWN'], effective: ['CAP_CHOWN'], permitted: ['CAP_CHOWN'] },
        rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1_048_576, soft: 1_048_576 }],
        oomScoreAdj: 0,
      },
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc', options: guarded },
        {
          destination: '/dev',
          type: 'tmpfs',
          source: 'tmpfs',
          options: ['nosuid', 'strictatime', 'mode=755'],
        },
        { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...guarded, 'ro'] },
        {
          destination: '/dev/pts',
          type: 'devpts',
          source: 'devpts',
          options: ['nosuid', 'newinstance', 'gid=5'],
        },
        { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: guarded },
        { destination: '/etc/hosts', type: 'bind', source: '/run/hosts', options: ['bind', 'rprivate'] },
        {
          destination: '/dev/shm',
          type: 'bind',
          source: '/run/shm',
          options: ['bind', 'rprivate', ...guarded],
        },
        {
          destination: '/sys/fs/cgroup',
          type: 'cgroup',
          source: 'cgroup',
          options: ['rprivate', ...guarded, 'ro'],
        },
      ],
      linux: {
        namespaces: (['pid', 'network', 'ipc', 'uts', 'mount', 'cgroup'] as const).map((type) => ({ type })),
        sysctl: { 'net.ipv4.ping_group_range': '0 0' },
      },
    },
    { seccomp: { flags: 0, bpf: Buffer.alloc(8) } },
  );
  t.match(all('MOUNT_FS'), [
    { target: '/proc', attrSet: 0xe },
    { target: '/dev', attrSet: 0x22, data: [['mode', '755']] },
    { target: '/sys', attrSet: 0xf },
    {
      target: '/dev/pts',
      data: [
        ['newinstance', ''],
        ['gid', '5'],
      ],
    },
    { target: '/dev/mqueue' },
    { fstype: 'cgroup2', target: '/sys/fs/cgroup', attrSet: 0xf },
  ]);
  t.match(all('MOUNT_BIND'), [
    { source: '/run/hosts', target: '/etc/hosts', propagation: 0x44000 },
    { source: '/run/shm', target: '/dev/shm', attrSet: 0xe },
  ]);
  t.match(all('MOUNT_SETATTR'), [{ target: '/sys/fs/cgroup', propagation: 0x40000, recursive: 1 }]);
  t.ok(
    names.indexOf('SECCOMP') < names.indexOf('USER'),
    'no no_new_privs: while root still has its privileges',
  );
  t.end();
});
