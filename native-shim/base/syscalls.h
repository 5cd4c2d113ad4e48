/* syscalls.h - thin wrappers for system calls that some supported C libraries do not wrap.
 *
 * All return the call's result (>= 0) or -errno, and are async-signal-safe. Mount calls are in mount_api.h, because
 * <linux/mount.h> and the <sys/mount.h> of glibc 2.36 cannot be included together.
 */
#ifndef TURF_BASE_SYSCALLS_H
#define TURF_BASE_SYSCALLS_H

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

static inline long turf_result(long result) {
  return result < 0 ? -errno : result;
}

/* openat2(2), Linux 5.6: `resolve` is RESOLVE_*; O_CLOEXEC is always added. */
static inline int turf_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
  struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
  long fd;

  /* EAGAIN: a rename raced with a scoped lookup; the kernel asks for another try */
  for (int tries = 0; tries < 64; tries++) {
    fd = turf_result(syscall(SYS_openat2, dirfd, path, &how, sizeof how));
    if (fd != -EAGAIN && fd != -EINTR)
      break;
  }
  return (int)fd;
}

/* clone3(2), Linux 5.3 (into_cgroup 5.7). In the child the result is 0. Only for fork-like use (no CLONE_VM). */
static inline pid_t turf_clone3(struct clone_args *args) {
  return (pid_t)turf_result(syscall(SYS_clone3, args, sizeof *args));
}

/* renameat2(2): `flags` is RENAME_*. */
static inline int turf_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags) {
  return (int)turf_result(syscall(SYS_renameat2, from_fd, from, to_fd, to, flags));
}

static inline int turf_pidfd_open(pid_t pid, unsigned flags) {
  return (int)turf_result(syscall(SYS_pidfd_open, pid, flags));
}

static inline int turf_pidfd_getfd(int pidfd, int fd) {
  return (int)turf_result(syscall(SYS_pidfd_getfd, pidfd, fd, 0));
}

static inline int turf_pidfd_send_signal(int pidfd, int signal_number) {
  return (int)turf_result(syscall(SYS_pidfd_send_signal, pidfd, signal_number, NULL, 0));
}

/* close_range(2), Linux 5.9; CLOSE_RANGE_CLOEXEC 5.11. Both ends inclusive. */
static inline int turf_close_range(unsigned first, unsigned last, unsigned flags) {
  return first > last ? 0 : (int)turf_result(syscall(SYS_close_range, first, last, flags));
}

/* execveat(2): returns only on failure, with -errno. */
static inline int turf_execveat(int dirfd, const char *path, char *const argv[], char *const env[], int flags) {
  return (int)turf_result(syscall(SYS_execveat, dirfd, path, argv, env, flags));
}

static inline int turf_seccomp(unsigned operation, unsigned flags, void *args) {
  return (int)turf_result(syscall(SYS_seccomp, operation, flags, args));
}

#endif
