/* attack.c FILTER - takes the system call filter in that file as a worker does, and then tries what no worker may do.
 *
 * Prints one line for each attempt: its name, and `refused` or what it got instead. The arguments are such that an attempt which gets past the
 * filter either succeeds, or fails with another error than EPERM and ENOSYS.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BAD ((void *)-1)

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
    NAMED("kernel crypto socket", socket, AF_ALG, SOCK_SEQPACKET), NAMED("dumpable", prctl, PR_SET_DUMPABLE, 1),
    NAMED("ptracer", prctl, PR_SET_PTRACER, -1), NAMED("raise a limit", prlimit64, 0, 7, (long)BAD),
    NAMED("limits of others", prlimit64, -1, 7, 0), NAMED("push input into a terminal", ioctl, 0, 0x5412),
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

int main(int argc, char **argv) {
  if (argc != 2 || take_filter(argv[1]) != 0) {
    perror("attack: take the filter");
    return 1;
  }
  for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
    const struct attempt *a = &attempts[i];
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
