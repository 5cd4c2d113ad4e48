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
  ...['recvmsg', 'sendmmsg', 'sendmsg', 'sendto', 'shutdown'],
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
const CLONE_THREAD = 0x10000;
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
/** getaddrinfo(3) asks which address families the machine has, by the protocol NETLINK_ROUTE. */
const AF_NETLINK = 16;
const NETLINK_ROUTE = 0;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
/** 0: what goes with the type. Others, such as SCTP, would have the kernel load their modules. */
const PROTOCOLS = [0, IPPROTO_TCP, IPPROTO_UDP];

/** Levels of setsockopt(2), and the options there that libuv, c-ares and glibc set; none that takes a program, or loads a module (TCP_ULP). */
const SOCKET_OPTIONS: ReadonlyMap<number, readonly number[]> = new Map([
  // SOL_SOCKET: REUSEADDR, BROADCAST, SNDBUF, RCVBUF, KEEPALIVE, LINGER, REUSEPORT
  [1, [2, 6, 7, 8, 9, 13, 15]],
  // TCP: NODELAY, KEEPIDLE, KEEPINTVL, KEEPCNT, USER_TIMEOUT, FASTOPEN_CONNECT
  [IPPROTO_TCP, [1, 4, 5, 6, 18, 30]],
  // IP: TTL, RECVERR, BIND_ADDRESS_NO_PORT, and membership of multicast groups
  [0, [2, 11, 24, 32, 33, 34, 35, 36, 39, 40]],
  // IPv6: the same, and V6ONLY
  [41, [16, 17, 18, 19, 20, 21, 25, 26]],
]);

const TCGETS = 0x5401;
const FIONREAD = 0x541b;
const FIONBIO = 0x5421;
const FIOCLEX = 0x5451;

/** One rule for each pair of values of two arguments. */
function allowPairs(
  name: string,
  [first, second]: readonly [number, number],
  pairs: readonly (readonly [number, number])[],
): OciSeccompSyscall[] {
  return pairs.map(([one, two]) => ({
    names: [name],
    action: 'SCMP_ACT_ALLOW',
    args: [
      { index: first, value: one, op: EQUAL },
      { index: second, value: two, op: EQUAL },
    ],
  }));
}

const PR_SET_NAME = 15;
const PR_SET_VMA = 0x53564d41;

/**
 * The system calls of a worker. It executes no program, makes no process and no namespace, mounts nothing, traces nobody; threads are for
 * libuv's pool. It makes no Unix socket: in the host network it could reach abstract ones of the host. Not on the list are also io_uring (libuv falls back to epoll), keyrings, bpf, perf and user faults.
 */
export const WORKER_SECCOMP: OciSeccomp = {
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: 1,
  syscalls: [
    { names: PLAIN, action: 'SCMP_ACT_ALLOW' },
    {
      names: ['clone'],
      action: 'SCMP_ACT_ALLOW',
      args: [
        {
          index: 0,
          value: NAMESPACE_FLAGS | CLONE_THREAD,
          valueTwo: CLONE_THREAD,
          op: 'SCMP_CMP_MASKED_EQ',
        },
      ],
    },
    // Its flags lie in memory, where a filter cannot look; ENOSYS makes the C library use clone.
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
    ...allowPairs(
      'socket',
      [0, 2],
      [AF_INET, AF_INET6].flatMap((family) => PROTOCOLS.map((protocol) => [family, protocol] as const)),
    ),
    ...allowPairs('socket', [0, 2], [[AF_NETLINK, NETLINK_ROUTE]]),
    ...allowPairs(
      'setsockopt',
      [1, 2],
      [...SOCKET_OPTIONS].flatMap(([level, options]) => options.map((option) => [level, option] as const)),
    ),
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
