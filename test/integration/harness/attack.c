/* attack.c FILTER [seed | int80 | x32] - takes the system call filter in that file as a worker or a seed does, and then tries what it may not do.
 *
 * Prints one line for each attempt: its name, and `refused` or what it got instead. The arguments are such that an attempt which gets past the
 * filter either succeeds, or fails with another error than EPERM and ENOSYS. With `int80` or `x32` it makes one harmless call as a program of that
 * architecture would, and says what came of it, if it lives.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BAD ((void *)-1)
#define HIGH (1L << 32)

struct attempt {
  const char *name;
  long number, arguments[6];
};

#define TRY(call, ...)                                                                                                       \
  { #call, SYS_##call, { __VA_ARGS__ } }
#define NAMED(name, call, ...)                                                                                               \
  { name, SYS_##call, { __VA_ARGS__ } }

static const struct attempt attempts[] = {
    TRY(execve, (long)BAD), TRY(execveat, -1, (long)BAD), TRY(mount, (long)BAD), TRY(umount2, (long)BAD), TRY(pivot_root, (long)BAD),
    TRY(chroot, (long)BAD), TRY(setns, -1), NAMED("unshare user", unshare, CLONE_NEWUSER), NAMED("unshare net", unshare, CLONE_NEWNET),
    NAMED("clone into a user namespace", clone, CLONE_NEWUSER | CLONE_VM), TRY(clone3, 0), TRY(ptrace, 0, -1), TRY(process_vm_readv, -1),
    TRY(process_vm_writev, -1), TRY(kill, 1, 99), TRY(tkill, -1), TRY(rt_sigqueueinfo, -1), TRY(keyctl, 99), TRY(add_key, (long)BAD),
    TRY(request_key, (long)BAD), TRY(shmget, 0, -1), TRY(shmat, -1), TRY(semget, 0, -1), TRY(msgget, 1, 0), TRY(mq_open, (long)BAD),
    TRY(perf_event_open, (long)BAD), TRY(init_module, (long)BAD), TRY(kexec_load, 0, -1), TRY(open_by_handle_at, -1),
    TRY(name_to_handle_at, -1), TRY(mknodat, -1, (long)BAD), TRY(personality, 0), TRY(setuid, 0), TRY(setresuid, 0, 0, 0),
    TRY(setgroups, 0, 0), TRY(capset, (long)BAD), TRY(quotactl, 0), TRY(swapon, (long)BAD), TRY(reboot, 0), TRY(sethostname, (long)BAD),
    TRY(settimeofday, (long)BAD), TRY(clock_settime, 0, (long)BAD), TRY(acct, (long)BAD), TRY(syslog, 99), TRY(unlinkat, -1, (long)BAD),
    TRY(renameat2, -1, (long)BAD), TRY(linkat, -1, (long)BAD), TRY(fchmodat, -1, (long)BAD), TRY(fchownat, -1, (long)BAD),
    TRY(io_setup, -1), TRY(memfd_create, (long)BAD), TRY(inotify_init1, -1), TRY(fanotify_init, -1), TRY(process_madvise, -1),
    TRY(move_pages, -1), TRY(mbind, 0), TRY(seccomp, 99),
#ifdef SYS_bpf
    TRY(bpf, 99),
#endif
#ifdef SYS_userfaultfd
    TRY(userfaultfd, -1),
#endif
#ifdef SYS_io_uring_setup
    TRY(io_uring_setup, 1, (long)BAD), TRY(io_uring_enter, -1), TRY(io_uring_register, -1),
#endif
#ifdef SYS_open_tree
    TRY(open_tree, -1, (long)BAD), TRY(move_mount, -1, (long)BAD), TRY(fsopen, (long)BAD), TRY(fsmount, -1),
#endif
#ifdef SYS_mount_setattr
    TRY(mount_setattr, -1, (long)BAD),
#endif
#ifdef SYS_pidfd_open
    TRY(pidfd_open, 1), TRY(pidfd_send_signal, -1),
#endif
#ifdef SYS_pidfd_getfd
    TRY(pidfd_getfd, -1),
#endif
    NAMED("packet socket", socket, AF_PACKET, SOCK_RAW), NAMED("vsock", socket, AF_VSOCK, SOCK_STREAM),
    NAMED("kernel crypto socket", socket, AF_ALG, SOCK_SEQPACKET), NAMED("Unix socket", socket, AF_UNIX, SOCK_STREAM),
    NAMED("socket of sock_diag", socket, AF_NETLINK, SOCK_RAW, 4), NAMED("socket of nf_tables", socket, AF_NETLINK, SOCK_RAW, 12),
    NAMED("SCTP", socket, AF_INET, SOCK_STREAM, 132), NAMED("ping", socket, AF_INET, SOCK_DGRAM, 1),
    NAMED("filter program of a socket", setsockopt, -1, SOL_SOCKET, 26), NAMED("BPF program of a socket", setsockopt, -1, SOL_SOCKET, 50),
    NAMED("TLS of the kernel", setsockopt, -1, 6, 31), NAMED("rules of x_tables", setsockopt, -1, 0, 64),
    NAMED("fork", clone, SIGCHLD, 0), NAMED("child with the parent's parent", clone, CLONE_PARENT | SIGCHLD, 0), NAMED("dumpable", prctl, PR_SET_DUMPABLE, 1),
    NAMED("ptracer", prctl, PR_SET_PTRACER, -1), NAMED("raise a limit", prlimit64, 0, 7, (long)BAD),
    NAMED("limits of others", prlimit64, -1, 7, 0), NAMED("push input into a terminal", ioctl, 0, 0x5412),
};

/* Of a seed, which is root of a user namespace and makes its clones. */
static const struct attempt attempts_of_seeds[] = {
    TRY(mount, (long)BAD), TRY(setns, -1), TRY(chroot, (long)BAD), TRY(ptrace, 0, -1), TRY(process_vm_readv, -1), TRY(process_vm_writev, -1),
    TRY(keyctl, 99), TRY(add_key, (long)BAD), TRY(request_key, (long)BAD), TRY(perf_event_open, (long)BAD), TRY(kcmp, -1),
    TRY(init_module, (long)BAD), TRY(kexec_load, 0, -1), TRY(open_by_handle_at, -1), TRY(name_to_handle_at, -1), TRY(mknodat, -1, (long)BAD),
    TRY(execveat, -1, (long)BAD), TRY(quotactl, 0), TRY(swapon, (long)BAD), TRY(syslog, 99), TRY(fanotify_init, -1), TRY(personality, 0),
#ifdef SYS_bpf
    TRY(bpf, 99),
#endif
#ifdef SYS_userfaultfd
    TRY(userfaultfd, -1),
#endif
#ifdef SYS_io_uring_setup
    TRY(io_uring_setup, 1, (long)BAD),
#endif
#ifdef SYS_fsopen
    TRY(fsopen, (long)BAD), TRY(fsconfig, -1), TRY(fsmount, -1), TRY(fspick, -1, (long)BAD),
#endif
#ifdef SYS_pidfd_getfd
    TRY(pidfd_getfd, -1),
#endif
    NAMED("packet socket", socket, AF_PACKET, SOCK_RAW), NAMED("vsock", socket, AF_VSOCK, SOCK_STREAM),
    NAMED("kernel crypto socket", socket, AF_ALG, SOCK_SEQPACKET), NAMED("Bluetooth", socket, AF_BLUETOOTH, SOCK_RAW),
    NAMED("CAN", socket, AF_CAN, SOCK_RAW), NAMED("AX.25", socket, AF_AX25, SOCK_DGRAM), NAMED("IPX", socket, AF_IPX, SOCK_DGRAM),
    NAMED("DECnet", socket, AF_DECnet, SOCK_DGRAM), NAMED("TIPC", socket, AF_TIPC, SOCK_DGRAM), NAMED("KCM", socket, AF_KCM, SOCK_DGRAM),
    NAMED("socket of nf_tables", socket, AF_NETLINK, SOCK_RAW, 12), NAMED("socket of XFRM", socket, AF_NETLINK, SOCK_RAW, 6),
    NAMED("socket of sock_diag", socket, AF_NETLINK, SOCK_RAW, 4), NAMED("rules of x_tables", setsockopt, -1, 0, 64),
    NAMED("counters of x_tables", setsockopt, -1, 0, 65), NAMED("rules of arptables", setsockopt, -1, 0, 96),
    NAMED("rules of x_tables, IPv6", setsockopt, -1, 41, 64), NAMED("TLS of the kernel", setsockopt, -1, 6, 31),
    /* the kernel takes the lower half of an int's register, a filter sees all of it */
    NAMED("rules of x_tables, a high bit in the level", setsockopt, -1, HIGH | 0, 64),
    NAMED("rules of x_tables, a high bit in the option", setsockopt, -1, 0, HIGH | 64),
    NAMED("IPv6 rules, a high bit in the level", setsockopt, -1, HIGH | 41, 64),
    NAMED("IPv6 rules, a high bit in the option", setsockopt, -1, 41, HIGH | 64),
    NAMED("TLS of the kernel, a high bit in the level", setsockopt, -1, HIGH | 6, 31),
    NAMED("TLS of the kernel, a high bit in the option", setsockopt, -1, 6, HIGH | 31),
    NAMED("packet socket, a high bit in the family", socket, HIGH | AF_PACKET, SOCK_RAW),
    NAMED("CAN, a high bit in the family", socket, HIGH | AF_CAN, SOCK_RAW),
    NAMED("low family, a high bit", socket, HIGH | AF_IPX, SOCK_DGRAM),
    NAMED("socket of nf_tables, a high bit in the family", socket, HIGH | AF_NETLINK, SOCK_RAW, 12),
    NAMED("socket of nf_tables, a high bit in the protocol", socket, AF_NETLINK, SOCK_RAW, HIGH | 12),
};

static int take_filter(const char *path) {
  static struct sock_filter filter[BPF_MAXINSNS];
  struct sock_fprog program = {.filter = filter};
  int fd = open(path, O_RDONLY);
  ssize_t length = fd < 0 ? -1 : read(fd, filter, sizeof filter);

  if (length <= 0)
    return -1;
  program.len = (unsigned short)((size_t)length / sizeof filter[0]);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return -1;
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

#ifdef __x86_64__
/* getpid(2) of i386, or of x32. */
static long call_foreign(const char *abi) {
  long result = strcmp(abi, "int80") == 0 ? 20 : 0x40000000L | SYS_getpid;

  if (strcmp(abi, "int80") == 0)
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  else
    __asm__ volatile("syscall" : "+a"(result) : : "memory", "rcx", "r11");
  return result;
}
#endif

int main(int argc, char **argv) {
  int of_seed = argc == 3 && strcmp(argv[2], "seed") == 0;
  const struct attempt *all = of_seed ? attempts_of_seeds : attempts;
  size_t count = of_seed ? sizeof attempts_of_seeds / sizeof *all : sizeof attempts / sizeof *all;

  if (argc < 2 || take_filter(argv[1]) != 0) {
    perror("attack: take the filter");
    return 1;
  }
#ifdef __x86_64__
  if (argc == 3 && !of_seed)
    return printf("%s: %ld\n", argv[2], call_foreign(argv[2])) < 0;
#endif
  for (size_t i = 0; i < count; i++) {
    const struct attempt *a = &all[i];
    const long *x = a->arguments;
    long result = syscall(a->number, x[0], x[1], x[2], x[3], x[4], x[5]);
    char line[160];
    int length;

    if (result == 0 && a->number == SYS_clone)
      _exit(0);
    if (result < 0 && (errno == EPERM || errno == ENOSYS))
      length = snprintf(line, sizeof line, "%s: refused\n", a->name);
    else
      length = snprintf(line, sizeof line, "%s: %s\n", a->name, result < 0 ? strerror(errno) : "succeeded");
    if (write(1, line, (size_t)length) != length)
      return 1;
  }
  return 0;
}
