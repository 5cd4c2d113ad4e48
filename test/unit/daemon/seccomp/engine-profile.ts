import type { OciSeccomp, OciSeccompSyscall } from '../../../../oci-spec/config.js';

/** System calls that unprivileged programs use, in groups: an allow list of the size that container engines ship. */
const GROUPS: readonly string[] = [
  'read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 sendfile sendfile64 splice tee vmsplice copy_file_range',
  'open openat openat2 creat close close_range dup dup2 dup3 fcntl fcntl64 ioctl flock lseek _llseek fadvise64 fadvise64_64 fallocate',
  'stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat statx statfs statfs64 fstatfs fstatfs64 access faccessat faccessat2',
  'mkdir mkdirat rmdir link linkat symlink symlinkat unlink unlinkat rename renameat renameat2 readlink readlinkat chdir fchdir getcwd',
  'chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 fchownat lchown lchown32 utime utimes futimesat utimensat umask',
  'utimensat_time64 mknod mknodat truncate truncate64 ftruncate ftruncate64 sync syncfs fsync fdatasync sync_file_range readahead',
  'getdents getdents64 getxattr lgetxattr fgetxattr setxattr lsetxattr fsetxattr listxattr llistxattr flistxattr removexattr',
  'lremovexattr fremovexattr inotify_init inotify_init1 inotify_add_watch inotify_rm_watch memfd_create memfd_secret pipe pipe2',
  'mmap mmap2 munmap mremap mprotect madvise mincore msync mlock mlock2 mlockall munlock munlockall brk pkey_alloc pkey_free',
  'pkey_mprotect map_shadow_stack membarrier rseq futex futex_time64 futex_waitv futex_wake futex_wait futex_requeue',
  'get_robust_list set_robust_list set_tid_address set_thread_area get_thread_area arch_prctl modify_ldt',
  'fork vfork execve execveat exit exit_group wait4 waitid waitpid getpid getppid gettid getpgid getpgrp setpgid getsid setsid kill',
  'tkill tgkill pidfd_open pidfd_send_signal rt_sigaction rt_sigprocmask rt_sigpending rt_sigqueueinfo rt_sigreturn rt_sigsuspend',
  'rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack signalfd signalfd4 sigreturn sigprocmask alarm pause',
  'getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getgroups getgroups32 setuid setuid32 setgid setgid32',
  'setreuid setreuid32 setregid setregid32 setresuid setresuid32 getresuid getresuid32 setresgid setresgid32 getresgid getresgid32',
  'setfsuid setfsuid32 setfsgid setfsgid32 setgroups setgroups32 capget capset prctl seccomp landlock_create_ruleset',
  'landlock_add_rule landlock_restrict_self getrlimit setrlimit prlimit64 ugetrlimit getrusage times sysinfo uname getcpu',
  'sched_yield sched_getaffinity sched_setaffinity sched_getparam sched_setparam sched_getscheduler sched_setscheduler',
  'sched_getattr sched_setattr sched_get_priority_max sched_get_priority_min sched_rr_get_interval getpriority setpriority',
  'sched_rr_get_interval_time64 ioprio_get ioprio_set time gettimeofday clock_gettime clock_gettime64 clock_getres',
  'clock_getres_time64 clock_nanosleep clock_nanosleep_time64 nanosleep getitimer setitimer timer_create timer_delete timer_gettime',
  'timer_gettime64 timer_settime timer_settime64 timer_getoverrun timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime',
  'timerfd_settime64 select _newselect pselect6 pselect6_time64 poll ppoll ppoll_time64 epoll_create epoll_create1 epoll_ctl',
  'epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2 io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents',
  'socketpair bind connect listen accept accept4 getsockname getpeername getsockopt setsockopt send sendto sendmsg sendmmsg recv',
  'recvfrom recvmsg recvmmsg recvmmsg_time64 shutdown socketcall shmget shmat shmdt shmctl semget semop semtimedop semctl msgget',
  'msgsnd msgrcv msgctl ipc mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr getrandom restart_syscall',
  'name_to_handle_at cachestat process_mrelease remap_file_pages',
];

const ADMIN =
  'bpf fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr move_mount open_tree perf_event_open pivot_root quotactl ' +
  'setdomainname sethostname setns syslog umount umount2 unshare swapon swapoff reboot kexec_load init_module finit_module delete_module ' +
  'acct adjtimex clock_settime settimeofday stime iopl ioperm chroot vhangup ptrace process_vm_readv process_vm_writev kcmp userfaultfd';

const CLONE_NAMESPACES = 0x7e020000;

/** A default profile as engines write it: deny with EPERM, allow some 400 calls, some by argument, ENOSYS for clone3. */
export function engineProfile(): OciSeccomp {
  const syscalls: OciSeccompSyscall[] = [
    { names: GROUPS.flatMap((group) => group.split(' ')), action: 'SCMP_ACT_ALLOW', args: [] },
    { names: ADMIN.split(' '), action: 'SCMP_ACT_ERRNO', errnoRet: 1 },
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
    {
      names: ['clone'],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index: 0, value: CLONE_NAMESPACES, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
    },
    { names: ['socket'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 40, op: 'SCMP_CMP_NE' }] },
  ];
  for (const value of [0x0, 0x8, 0x20000, 0x20008, 0xffffffff]) {
    syscalls.push({
      names: ['personality'],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }],
    });
  }
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    syscalls,
  };
}
