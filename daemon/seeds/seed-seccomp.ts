import { type OciSeccomp } from '../../oci-spec/config.js';

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

/** linux.seccomp of a seed. */
export const SEED_SECCOMP: OciSeccomp = {
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [
    { names: [...REFUSED], action: 'SCMP_ACT_ERRNO', errnoRet: EPERM },
    // Node 22 and later do without when the kernel has none.
    {
      names: ['io_uring_setup', 'io_uring_enter', 'io_uring_register'],
      action: 'SCMP_ACT_ERRNO',
      errnoRet: ENOSYS,
    },
  ],
};
