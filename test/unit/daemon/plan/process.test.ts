import t from 'tap';
import type { OciProcess } from '../../../../oci-spec/config.js';
import { compile, MINIMAL, withLinux } from './plan-fixture.js';

const FILTER = { flags: 4, bpf: Buffer.from('0600000000000000', 'hex') };
const SYS_ADMIN = ['CAP_SYS_ADMIN'];

function run(
  process: Partial<OciProcess>,
  input: Parameters<typeof compile>[1] = {},
): ReturnType<typeof compile> {
  return compile({ ...MINIMAL, process: { args: ['true'], cwd: '/', ...process } }, input);
}

await t.test('user, groups, umask and capabilities', (t) => {
  const { all } = run({
    user: { uid: 1000, gid: 100, additionalGids: [7, 8], umask: 0o27 },
    capabilities: {
      bounding: ['CAP_CHOWN', 'CAP_KILL', 'CAP_NOT_KNOWN'],
      effective: ['CAP_KILL'],
      permitted: ['CAP_KILL'],
      inheritable: ['CAP_CHOWN', 'CAP_KILL'],
      ambient: ['CAP_CHOWN', 'CAP_KILL'],
    },
  });
  t.same(all('USER'), [{ uid: 1000, gid: 100, setGroups: 1, groups: [7, 8] }]);
  t.same(all('UMASK'), [{ mask: 0o27 }]);
  t.same(all('DROP_BOUNDING'), [{ keep: 0b100001 }]);
  t.same(all('CAPABILITIES'), [{ effective: 32, permitted: 32, inheritable: 33, ambient: 32 }]);
  t.end();
});

await t.test('what is absent: root, no groups, umask 022, no capability', (t) => {
  const { all } = run({});
  t.same(all('USER'), [{ uid: 0, gid: 0, setGroups: 1, groups: [] }]);
  t.same(all('UMASK'), [{ mask: 0o22 }]);
  t.same(all('DROP_BOUNDING'), [{ keep: 0 }]);
  t.same(all('CAPABILITIES'), [{ effective: 0, permitted: 0, inheritable: 0, ambient: 0 }]);
  t.same(all('CLOSE_FDS'), [{ keep: 0 }]);
  t.end();
});

await t.test('limits, oom score, personality and sysctls are set with all privileges', (t) => {
  const config = withLinux(
    {
      sysctl: { 'net.ipv4.ip_forward': '1' },
      personality: { domain: 'LINUX32' },
      readonlyPaths: ['/proc/sys'],
    },
    {
      process: {
        args: ['true'],
        cwd: '/',
        oomScoreAdj: -5,
        rlimits: [
          { type: 'RLIMIT_NOFILE', soft: 10, hard: 2n ** 64n - 1n },
          { type: 'RLIMIT_CPU', soft: 1, hard: 1 },
        ],
      },
    },
  );
  const { all, labels, names } = compile(config);
  t.same(all('SYSCTL'), [{ path: 'net/ipv4/ip_forward', value: '1' }]);
  t.same(labels('SYSCTL'), ['linux.sysctl["net.ipv4.ip_forward"]']);
  t.same(all('RLIMIT'), [
    { resource: 7, soft: 10, hard: 2n ** 64n - 1n },
    { resource: 0, soft: 1, hard: 1 },
  ]);
  t.same(all('WRITE_PROC_SELF'), [{ path: 'oom_score_adj', value: '-5' }]);
  t.same(all('PERSONALITY'), [{ persona: 8 }]);
  t.ok(names.indexOf('SYSCTL') < names.indexOf('READONLY_PATH'));
  for (const name of ['SYSCTL', 'RLIMIT', 'WRITE_PROC_SELF', 'PERSONALITY']) {
    t.ok(names.indexOf(name) < names.indexOf('DROP_BOUNDING'), name);
  }
  t.end();
});

await t.test('the filter is loaded last where no_new_privs or CAP_SYS_ADMIN allow it', (t) => {
  for (const process of [
    { noNewPrivileges: true },
    { capabilities: { effective: SYS_ADMIN, permitted: SYS_ADMIN, bounding: SYS_ADMIN } },
  ]) {
    const { names, all } = run(process, { seccomp: FILTER });
    t.same(names.slice(-3), ['WAIT_START', 'SECCOMP', 'EXEC']);
    t.same(all('SECCOMP'), [{ flags: 4, listener: -1, bpf: FILTER.bpf }]);
  }
  t.end();
});

await t.test('otherwise it is loaded while root’s capabilities are still there', (t) => {
  const { names } = run({ noNewPrivileges: false }, { seccomp: FILTER });
  t.ok(names.indexOf('SECCOMP') < names.indexOf('DROP_BOUNDING'));
  t.ok(names.indexOf('SECCOMP') > names.indexOf('RLIMIT'));
  t.end();
});

await t.test('a profile that was not compiled is not forgotten', (t) => {
  const config = withLinux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW' } });
  t.throws(() => compile(config), { message: 'linux.seccomp: was not compiled' });
  t.end();
});

await t.test('the working directory is made while the root is writable, and entered again as root', (t) => {
  const { all, names } = compile({
    ...MINIMAL,
    root: { path: 'rootfs', readonly: true },
    process: { args: ['true'], cwd: '/srv' },
  });
  t.same(all('CHDIR'), [
    { path: '/srv', create: 1 },
    { path: '/srv', create: 0 },
  ]);
  t.ok(names.indexOf('CHDIR') < names.lastIndexOf('MOUNT_SETATTR'));
  t.ok(names.lastIndexOf('CHDIR') < names.indexOf('USER'));
  t.end();
});

await t.test('PATH of the environment finds the program; the last one counts', (t) => {
  t.same(run({ env: ['PATH=/a', 'PATH=/b:/c'] }).all('FIND_PROGRAM'), [{ name: 'true', path: '/b:/c' }]);
  t.match(run({}).all('FIND_PROGRAM'), [{ name: 'true', path: /:\/usr\/bin:/ }]);
  t.end();
});

await t.test('HOME is added only where it is missing', (t) => {
  t.same(run({ env: ['A=1'] }, { home: '/root' }).all('EXEC'), [
    { argv: ['true'], env: ['A=1', 'HOME=/root'] },
  ]);
  t.same(run({ env: ['HOME=/x'] }, { home: '/root' }).all('EXEC'), [{ argv: ['true'], env: ['HOME=/x'] }]);
  t.end();
});

await t.test('security labels are written before privileges go; unconfined is nothing', (t) => {
  const { all, names } = run({ apparmorProfile: 'p', selinuxLabel: 'u:r:t:s0' });
  t.same(all('WRITE_PROC_SELF'), [
    { path: 'attr/apparmor/exec', value: 'exec p' },
    { path: 'attr/exec', value: 'u:r:t:s0' },
  ]);
  t.ok(names.lastIndexOf('WRITE_PROC_SELF') < names.indexOf('USER'));
  t.notOk(run({ apparmorProfile: 'unconfined' }).names.includes('WRITE_PROC_SELF'));
  t.end();
});
