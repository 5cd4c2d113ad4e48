#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "plan/run.h"

/* A descriptor on a place in the old mount namespace cannot be mounted on in the new one; a procfs shows one pid namespace. */
static void forget_places(struct turf_run *run, uint32_t flags) {
  if ((flags & CLONE_NEWNS) != 0)
    turf_close(&run->root_fd);
  turf_close(&run->proc_fd);
}

int turf_op_join_namespace(struct turf_run *run, struct turf_reader *payload) {
  cleanup_fd int fd = turf_run_take_fd(run, payload);
  uint32_t type = turf_read_u32(payload);
  char digits[TURF_DIGITS];

  if (setns(fd, (int)type) < 0)
    return turf_fail(run, -errno, "join namespaces of type ", turf_text_number(digits, type), NULL);
  forget_places(run, type);
  return 0;
}

int turf_op_enter_cgroup(struct turf_run *run, struct turf_reader *payload) {
  cleanup_fd int fd = turf_run_take_fd(run, payload);

  return write(fd, "0", 1) == 1 ? 0 : turf_fail(run, -errno, "enter cgroup", NULL);
}

int turf_op_unshare(struct turf_run *run, struct turf_reader *payload) {
  uint32_t flags = turf_read_u32(payload);
  char digits[TURF_DIGITS];

  if (unshare((int)flags) < 0)
    return turf_fail(run, -errno, "unshare namespaces ", turf_text_number(digits, flags), NULL);
  forget_places(run, flags);
  return 0;
}

int turf_op_become_root(struct turf_run *run, struct turf_reader *payload) {
  int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);

  (void)payload;
  /* refused where /proc/self/setgroups says deny */
  if (syscall(SYS_setgroups, 0, NULL) < 0 && errno != EPERM)
    return turf_fail(run, -errno, "clear supplementary groups", NULL);
  if (syscall(SYS_setresgid, 0, 0, 0) < 0)
    return turf_fail(run, -errno, "become group 0 of the user namespace", NULL);
  if (syscall(SYS_setresuid, 0, 0, 0) < 0)
    return turf_fail(run, -errno, "become user 0 of the user namespace", NULL);
  /* another user makes a process as readable as fs.suid_dumpable says: turf-init stays unreadable, a clone that becomes a seed can read
   * its own /proc files */
  if (dumpable >= 0 && dumpable <= 1 && prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0) < 0)
    return turf_fail(run, -errno, "stay as readable as before", NULL);
  return 0;
}

int turf_op_hostname(struct turf_run *run, struct turf_reader *payload) {
  const char *name = turf_read_str(payload);

  return sethostname(name, strlen(name)) == 0 ? 0 : turf_fail(run, -errno, "set hostname ", name, NULL);
}

int turf_op_domainname(struct turf_run *run, struct turf_reader *payload) {
  const char *name = turf_read_str(payload);

  return setdomainname(name, strlen(name)) == 0 ? 0 : turf_fail(run, -errno, "set domainname ", name, NULL);
}

int turf_op_loopback_up(struct turf_run *run, struct turf_reader *payload) {
  struct ifreq request = {.ifr_name = "lo"};

  (void)payload;
  /* interface ioctls work on a socket of any family: this one needs no IP support */
  cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
    return turf_fail(run, -errno, "look at loopback interface", NULL);
  request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
  return ioctl(fd, SIOCSIFFLAGS, &request) == 0 ? 0 : turf_fail(run, -errno, "bring up loopback interface", NULL);
}
