import { type OciSeccomp, type OciSeccompSyscall } from '../../oci-spec/config.js';

/** What a running worker calls, observed with strace on Node 20, 22, 24 and 26: HTTP both ways, timers, streams, crypto, WebAssembly, GC. */
const PLAIN = [
  ...[
    'accept4',
    'bind',
    'connect',
    'getpeername',
    'getsockname',
    'getsockopt',
    'listen',
    'recvfrom',
    'recvmmsg',
  ],
  ...['recvmsg', 'sendmmsg', 'sendmsg', 'sendto', 'setsockopt', 'shutdown'],
  ...[
    'epoll_create1',
    'epoll_ctl',
    'epoll_pwait',
    'epoll_pwait2',
    'epoll_wait',
    'eventfd2',
    'pipe2',
    'poll',
    'ppoll',
  ],
  ...[
    'close',
    'close_range',
    'dup',
    'dup2',
    'dup3',
    'fcntl',
    'fstat',
    'lseek',
    'newfstatat',
    'pread64',
    'preadv',
  ],
  ...['pwrite64', 'pwritev', 'read', 'readv', 'write', 'writev'],
  ...[
    'access',
    'faccessat',
    'faccessat2',
    'getcwd',
    'getdents64',
    'lstat',
    'open',
    'openat',
    'readlink',
    'readlinkat',
  ],
  ...['stat', 'statx'],
  ...['brk', 'madvise', 'mmap', 'mprotect', 'mremap', 'munmap', 'pkey_mprotect'],
  ...[
    'futex',
    'get_robust_list',
    'membarrier',
    'rseq',
    'sched_getaffinity',
    'sched_yield',
    'set_robust_list',
  ],
  ...['set_tid_address'],
  ...[
    'rt_sigaction',
    'rt_sigpending',
    'rt_sigprocmask',
    'rt_sigreturn',
    'rt_sigtimedwait',
    'sigaltstack',
    'tgkill',
  ],
  ...[
    'clock_getres',
    'clock_gettime',
    'clock_nanosleep',
    'gettimeofday',
    'nanosleep',
    'restart_syscall',
    'time',
  ],
  ...[
    'exit',
    'exit_group',
    'getegid',
    'geteuid',
    'getgid',
    'getpid',
    'getppid',
    'getrandom',
    'getrusage',
    'gettid',
  ],
  ...['getuid', 'sysinfo', 'times', 'uname'],
  // The watch of the event loop (native-shim/watchdog/).
  ...['timer_create', 'timer_settime'],
];

/** CLONE_NEW* but CLONE_NEWTIME, which clone(2) cannot take: its bit is part of the exit signal there. */
const NAMESPACE_FLAGS = 0x7e020000;
const ENOSYS = 38;

const EQUAL = 'SCMP_CMP_EQ';

function allowEach(name: string, index: number, values: readonly number[]): OciSeccompSyscall[] {
  return values.map((value) => ({
    names: [name],
    action: 'SCMP_ACT_ALLOW',
    args: [{ index, value, op: EQUAL }],
  }));
}

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
/** getaddrinfo(3) asks which address families the machine has. */
const AF_NETLINK = 16;

const TCGETS = 0x5401;
const FIONREAD = 0x541b;
const FIONBIO = 0x5421;
const FIOCLEX = 0x5451;

const PR_SET_NAME = 15;
const PR_SET_VMA = 0x53564d41;

/**
 * The system calls of a worker. It executes no program, makes no namespace, mounts nothing, traces nobody; threads are for
 * libuv's pool. Not on the list are also io_uring (libuv falls back to epoll), keyrings, bpf, perf and user faults.
 */
export const WORKER_SECCOMP: OciSeccomp = {
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: 1,
  syscalls: [
    { names: PLAIN, action: 'SCMP_ACT_ALLOW' },
    {
      names: ['clone'],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index: 0, value: NAMESPACE_FLAGS, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
    },
    // Its flags lie in memory, where a filter cannot look; ENOSYS makes the C library use clone.
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
    ...allowEach('socket', 0, [AF_UNIX, AF_INET, AF_INET6, AF_NETLINK]),
    ...allowEach('socketpair', 0, [AF_UNIX]),
    ...allowEach('ioctl', 1, [TCGETS, FIONREAD, FIONBIO, FIOCLEX]),
    ...allowEach('prctl', 0, [PR_SET_NAME, PR_SET_VMA]),
    // prlimit64 sets limits, too: only reading them, of oneself
    {
      names: ['prlimit64'],
      action: 'SCMP_ACT_ALLOW',
      args: [
        { index: 0, value: 0, op: EQUAL },
        { index: 2, value: 0, op: EQUAL },
      ],
    },
    { names: ['getrlimit'], action: 'SCMP_ACT_ALLOW' },
  ],
};
