import t from 'tap';
import { compileSeccomp } from '../../../../daemon/seccomp/compile.js';
import { loadLibseccomp, SCMP_ACT } from '../../../../native-shim/libseccomp.js';
import type { OciSeccomp } from '../../../../oci-spec/config.js';
import { runFilter, type SyscallData } from './bpf-machine.js';

const lib = loadLibseccomp();
const arch = lib.nativeArch;
const EPERM = SCMP_ACT.ERRNO + 1;
const ENOSYS = SCMP_ACT.ERRNO + 38;

function number(name: string): number {
  const found = lib.syscallNumber(name);
  if (found === undefined) throw new Error(`${name} is not known`);
  return found;
}

function filter(profile: OciSeccomp): (name: string, ...args: bigint[]) => number {
  const { bpf } = compileSeccomp(profile, lib);
  return (name, ...args) => runFilter(bpf, { nr: number(name), arch, args });
}

await t.test('an allow list allows what it lists and denies the rest', (t) => {
  const action = filter({
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [{ names: ['read', 'write', 'kexec_load_of_the_future'], action: 'SCMP_ACT_ALLOW' }],
  });
  t.equal(action('read'), SCMP_ACT.ALLOW);
  t.equal(action('write'), SCMP_ACT.ALLOW);
  t.not(action('mount'), SCMP_ACT.ALLOW);
  t.end();
});

await t.test('every action, with its errno', (t) => {
  const action = filter({
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [
      { names: ['read'], action: 'SCMP_ACT_ERRNO', errnoRet: 99 },
      { names: ['write'], action: 'SCMP_ACT_ERRNO' },
      { names: ['close'], action: 'SCMP_ACT_KILL' },
      { names: ['fstat'], action: 'SCMP_ACT_KILL_PROCESS' },
      { names: ['lseek'], action: 'SCMP_ACT_KILL_THREAD' },
      { names: ['mmap'], action: 'SCMP_ACT_LOG' },
      { names: ['munmap'], action: 'SCMP_ACT_TRAP' },
      { names: ['brk'], action: 'SCMP_ACT_TRACE', errnoRet: 7 },
    ],
  });
  t.same(
    ['read', 'write', 'close', 'fstat', 'lseek', 'mmap', 'munmap', 'brk', 'getpid'].map((name) =>
      action(name),
    ),
    [
      SCMP_ACT.ERRNO + 99,
      EPERM,
      SCMP_ACT.KILL_THREAD,
      SCMP_ACT.KILL_PROCESS,
      SCMP_ACT.KILL_THREAD,
      SCMP_ACT.LOG,
      SCMP_ACT.TRAP,
      SCMP_ACT.TRACE + 7,
      SCMP_ACT.ALLOW,
    ],
  );
  t.end();
});

await t.test('conditions on several arguments must all hold', (t) => {
  const action = filter({
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [
      {
        names: ['socket'],
        action: 'SCMP_ACT_ERRNO',
        args: [
          { index: 0, value: 16, op: 'SCMP_CMP_EQ' },
          { index: 2, value: 9, op: 'SCMP_CMP_EQ' },
        ],
      },
    ],
  });
  t.equal(action('socket', 16n, 3n, 9n), EPERM);
  t.equal(action('socket', 16n, 3n, 8n), SCMP_ACT.ALLOW);
  t.equal(action('socket', 15n, 3n, 9n), SCMP_ACT.ALLOW);
  t.end();
});

await t.test('several conditions on one argument are alternatives', (t) => {
  const action = filter({
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    syscalls: [
      {
        names: ['personality'],
        action: 'SCMP_ACT_ALLOW',
        args: [
          { index: 0, value: 0, op: 'SCMP_CMP_EQ' },
          { index: 0, value: 8, op: 'SCMP_CMP_EQ' },
        ],
      },
    ],
  });
  t.equal(action('personality', 0n), SCMP_ACT.ALLOW);
  t.equal(action('personality', 8n), SCMP_ACT.ALLOW);
  t.equal(action('personality', 4n), EPERM);
  t.end();
});

await t.test('every comparison, on all 64 bits', (t) => {
  const big = 2n ** 40n;
  const cases = [
    ['SCMP_CMP_EQ', big, 0, [big], [big + 1n, 0n]],
    ['SCMP_CMP_NE', big, 0, [0n, big + 1n], [big]],
    ['SCMP_CMP_LT', big, 0, [big - 1n], [big, big + 1n]],
    ['SCMP_CMP_LE', big, 0, [big], [big + 1n]],
    ['SCMP_CMP_GT', big, 0, [big + 1n], [big, 5n]],
    ['SCMP_CMP_GE', big, 0, [big], [big - 1n]],
    ['SCMP_CMP_MASKED_EQ', 0xffff_ffff_0000_0000n, 0, [7n], [big]],
    ['SCMP_CMP_MASKED_EQ', 6, 2, [2n, 3n], [4n, 6n]],
  ] as const;
  for (const [op, value, valueTwo, hits, misses] of cases) {
    const action = filter({
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['clone'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value, valueTwo, op }] }],
    });
    for (const arg of hits) t.equal(action('clone', arg), EPERM, `${op} ${arg.toString()}`);
    for (const arg of misses) t.equal(action('clone', arg), SCMP_ACT.ALLOW, `${op} not ${arg.toString()}`);
  }
  t.end();
});

await t.test('a rule that repeats the default is no error', (t) => {
  const action = filter({
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    syscalls: [
      { names: ['mount'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 },
      { names: ['read', 'write'], action: 'SCMP_ACT_ALLOW' },
    ],
  });
  t.equal(action('mount'), EPERM);
  t.end();
});

await t.test('a call newer than the profile answers ENOSYS, unless nothing or everything does', (t) => {
  const newest = { nr: 5000, arch };
  const run = (profile: OciSeccomp, data: SyscallData = newest): number =>
    runFilter(compileSeccomp(profile, lib).bpf, data);
  const syscalls: OciSeccomp['syscalls'] = [
    { names: ['read', 'openat2', 'unknown_call'], action: 'SCMP_ACT_ALLOW' },
  ];
  const highest = { nr: number('openat2'), arch };

  t.equal(run({ defaultAction: 'SCMP_ACT_ERRNO', syscalls }), ENOSYS);
  t.equal(run({ defaultAction: 'SCMP_ACT_KILL_PROCESS', syscalls }), ENOSYS);
  t.equal(run({ defaultAction: 'SCMP_ACT_ERRNO', syscalls }, highest), SCMP_ACT.ALLOW);
  t.equal(run({ defaultAction: 'SCMP_ACT_ERRNO', syscalls }, { nr: number('setns'), arch }), EPERM);
  t.equal(run({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 38, syscalls }), ENOSYS);
  t.equal(
    run({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['read'], action: 'SCMP_ACT_ERRNO' }] }),
    SCMP_ACT.ALLOW,
  );
  t.end();
});

const x86 = lib.archToken('x86') ?? 0;
const skip = lib.archToken('x86_64') === arch ? false : 'this machine is no x86_64';

await t.test('listed architectures are filtered by their own numbers, others kill', { skip }, (t) => {
  const { bpf } = compileSeccomp(
    {
      defaultAction: 'SCMP_ACT_ERRNO',
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
      syscalls: [{ names: ['getpid', 'setns'], action: 'SCMP_ACT_ALLOW' }],
    },
    lib,
  );
  t.equal(runFilter(bpf, { nr: 20, arch: x86 }), SCMP_ACT.ALLOW);
  t.equal(runFilter(bpf, { nr: 39, arch: x86 }), EPERM);
  t.equal(runFilter(bpf, { nr: 39, arch }), SCMP_ACT.ALLOW);
  t.equal(runFilter(bpf, { nr: 39 + 0x40000000, arch }), SCMP_ACT.ALLOW, 'x32');
  t.equal(runFilter(bpf, { nr: 20, arch: 0xc00000b7 }), SCMP_ACT.KILL_THREAD, 'aarch64');
  t.end();
});

await t.test('flags are those of the profile', (t) => {
  const flags: OciSeccomp['flags'] = ['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_LOG'];
  t.equal(compileSeccomp({ defaultAction: 'SCMP_ACT_ALLOW', flags }, lib).flags, 3);
  t.equal(compileSeccomp({ defaultAction: 'SCMP_ACT_ALLOW' }, lib).flags, 0);
  t.end();
});

await t.test('what libseccomp refuses is named', (t) => {
  const profile: OciSeccomp = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['read'], action: 'SCMP_ACT_ERRNO', errnoRet: 60_000 }],
  };
  t.throws(() => compileSeccomp(profile, lib), {
    code: 'TURF_ERR_CONFIG',
    path: 'linux.seccomp.syscalls[0] (read)',
  });
  t.end();
});

await t.test('a missing library says what to install', (t) => {
  t.throws(() => loadLibseccomp('libseccomp.so.999'), { message: /install the Debian package libseccomp2/ });
  t.end();
});
