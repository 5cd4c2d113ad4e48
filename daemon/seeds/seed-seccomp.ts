import { type OciSeccomp, type OciSeccompSyscall } from '../../oci-spec/config.js';

const EPERM = 1;
const ENOSYS = 38;

/**
 * System calls that neither a seed nor the making of a clone uses, and that have been ways out of user namespaces, or act on what is not
 * in any namespace. A seed needs the calls that make clones (unshare, the mount API, pivot_root, setresuid, seccomp), which its workers'
 * own filter then refuses; filters add up, so that this one holds in workers, too.
 */
const REFUSED = [
  'acct',
  'add_key',
  'bpf',
  'chroot',
  'clock_adjtime',
  'clock_settime',
  'create_module',
  'delete_module',
  'execveat',
  'fanotify_init',
  'finit_module',
  'fsconfig',
  'fsmount',
  'fsopen',
  'fspick',
  'get_mempolicy',
  'init_module',
  'ioperm',
  'iopl',
  'kcmp',
  'kexec_file_load',
  'kexec_load',
  'keyctl',
  'lookup_dcookie',
  'mbind',
  'migrate_pages',
  'mknod',
  'mknodat',
  'mount',
  'move_pages',
  'name_to_handle_at',
  'nfsservctl',
  'open_by_handle_at',
  'perf_event_open',
  'personality',
  'pidfd_getfd',
  'process_madvise',
  'process_vm_readv',
  'process_vm_writev',
  'ptrace',
  'quotactl',
  'quotactl_fd',
  'reboot',
  'request_key',
  'set_mempolicy',
  'settimeofday',
  'setns',
  'swapoff',
  'swapon',
  'syslog',
  'uselib',
  'userfaultfd',
  'ustat',
  'vhangup',
] as const;

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const NETLINK_ROUTE = 0;

type Condition = NonNullable<OciSeccompSyscall['args']>[number];

/**
 * Of an argument that is an int: the kernel takes the lower half of its register and a filter compares all of it, so that a set bit above would
 * lead past a rule that refuses.
 */
function isInt(index: number, value: number): Condition {
  return { index, value: 0xffffffff, valueTwo: value, op: 'SCMP_CMP_MASKED_EQ' };
}

/** Its capabilities over its own network namespace would open all that these let root configure: packet filters, IPsec, traffic control of raw sockets. */
const SOCKETS: readonly OciSeccompSyscall[] = [
  ...Array.from({ length: AF_NETLINK }, (_, family) => family)
    .filter((family) => ![AF_UNIX, AF_INET, AF_INET6].includes(family))
    .map((family) => refuse('socket', [isInt(0, family)])),
  refuse('socket', [{ index: 0, value: AF_NETLINK, op: 'SCMP_CMP_GT' }]),
  refuse('socket', [isInt(0, AF_NETLINK), { index: 2, value: NETLINK_ROUTE, op: 'SCMP_CMP_NE' }]),
];

/** The first options of x_tables at the levels of IPv4 and IPv6, which replace the rules of a packet filter; no IPv4 option of its own lies above. */
const IPT_BASE = 64;
const SOL_IP = 0;
const SOL_IPV6 = 41;
const SOL_TCP = 6;
const TCP_ULP = 31;

const SOCKET_OPTIONS: readonly OciSeccompSyscall[] = [
  refuse('setsockopt', [isInt(1, SOL_IP), { index: 2, value: IPT_BASE, op: 'SCMP_CMP_GE' }]),
  ...[IPT_BASE, IPT_BASE + 1].map((option) => refuse('setsockopt', [isInt(1, SOL_IPV6), isInt(2, option)])),
  refuse('setsockopt', [isInt(1, SOL_TCP), isInt(2, TCP_ULP)]),
];

function refuse(name: string, args: Condition[]): OciSeccompSyscall {
  return { names: [name], action: 'SCMP_ACT_ERRNO', errnoRet: EPERM, args };
}

/** linux.seccomp of a seed. */
export const SEED_SECCOMP: OciSeccomp = {
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [
    { names: [...REFUSED], action: 'SCMP_ACT_ERRNO', errnoRet: EPERM },
    ...SOCKETS,
    ...SOCKET_OPTIONS,
    // Node 22 and later do without when the kernel has none.
    {
      names: ['io_uring_setup', 'io_uring_enter', 'io_uring_register'],
      action: 'SCMP_ACT_ERRNO',
      errnoRet: ENOSYS,
    },
  ],
};
