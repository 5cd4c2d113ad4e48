/* spawn.c - the step into a PID namespace that is somebody else's.
 *
 * setns(2) into a PID namespace is for children only. The child comes as late as the plan allows: until then nobody in that
 * namespace can see the process that still holds the host's privileges, not even with CAP_SYS_PTRACE (CVE-2016-9962).
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/frame.h"
#include "plan/run.h"

/* Tells the daemon the child's number, as this process sees it, and ends. */
static _Noreturn void give_way(struct turf_run *run, pid_t child) {
  unsigned char payload[4];

  turf_put_u32(payload, (uint32_t)child);
  int result = turf_frame_send(run->plan->sync_fd, 'P', payload, sizeof payload, NULL, 0);
  if (result < 0)
    (void)kill(child, SIGKILL);
  _exit(result < 0 ? 1 : 0);
}

int turf_op_spawn(struct turf_run *run, struct turf_reader *payload) {
  bool terminal = turf_read_u32(payload) != 0;

  /* clone(2): a container's filter may be loaded already, and engines' profiles answer ENOSYS to clone3(2). CLONE_PARENT: the
   * child is the launcher's, as this process is, with the same exit signal. */
  long child = syscall(SYS_clone, (unsigned long)CLONE_PARENT, 0UL, 0UL, 0UL, 0UL);
  if (child < 0)
    return turf_fail(run, -errno, "clone into the container", NULL);
  if (child > 0)
    give_way(run, (pid_t)child);

  (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (setsid() < 0)
    return turf_fail(run, -errno, "become session leader", NULL);
  if (terminal && ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
    return turf_fail(run, -errno, "make the terminal the controlling one", NULL);
  return 0;
}

int turf_op_cpu_affinity(struct turf_run *run, struct turf_reader *payload) {
  struct turf_str mask = turf_read_bytes(payload);

  /* the kernel takes masks of any length and leaves out CPUs that the cpuset does not have */
  if (syscall(SYS_sched_setaffinity, 0, (size_t)mask.length, mask.bytes) < 0)
    return turf_fail(run, -errno, "set CPU affinity", NULL);
  return 0;
}
