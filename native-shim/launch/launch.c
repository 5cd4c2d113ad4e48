#include "launch/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/syscalls.h"
#include "launch/child.h"
#include "launch/share.h"

/* 32 KiB less what lies behind it in the same page. */
#define CHILD_STACK 32640u
#define FIRST_PRESERVED 3

/* Written by the helper and the child, read by the launcher once both have executed or exited: CLONE_VFORK orders it. */
struct report {
  int error; /* errno */
  enum turf_launch_step step;
  pid_t pid; /* of the child, where a helper cloned it */
};

/* What launcher, helper and child share, whether they share the rest of their memory or not. */
struct shared {
  _Alignas(16) unsigned char stack[CHILD_STACK]; /* of a child that runs in the launcher's memory */
  const struct turf_launch *launch;
  struct report report;
};

static const char *step_name(enum turf_launch_step step) {
  switch (step) {
  case TURF_STEP_PRESERVE:
    return "preserve descriptors (--preserve-fds)";
  case TURF_STEP_CLONE:
    return "clone";
  case TURF_STEP_JOIN_USER_NS:
    return "join user namespace";
  case TURF_STEP_JOIN_PID_NS:
    return "join pid namespace";
  case TURF_STEP_SETSID:
    return "setsid";
  case TURF_STEP_CAPABILITIES:
    return "keep capabilities";
  case TURF_STEP_SIGNALS:
    return "reset signals";
  case TURF_STEP_DESCRIPTORS:
    return "place descriptors";
  case TURF_STEP_LIMIT:
    return "restore the limit of open files";
  case TURF_STEP_EXEC:
    return "execute turf-init";
  case TURF_STEP_NONE:
    break;
  }
  return "";
}

static _Noreturn void fail(struct report *report, enum turf_launch_step step, int error) {
  report->error = error;
  report->step = step;
  _exit(127);
}

static void run_child(void *argument) {
  struct shared *shared = argument;
  enum turf_launch_step step = TURF_STEP_NONE;
  int result = turf_launch_become_init(shared->launch, &step);

  fail(&shared->report, step, -result);
}

static void enter_cgroup(struct clone_args *args, int cgroup_fd) {
  if (cgroup_fd < 0)
    return;
  args->flags |= CLONE_INTO_CGROUP;
  args->cgroup = (uint64_t)cgroup_fd;
}

/* A child that is alone in its namespaces, or in the caller's, may run in the caller's memory: nobody else can reach that. */
static bool may_share(const struct turf_launch *launch) {
  return launch->user_ns_fd < 0 && launch->pid_ns_fd < 0 && (launch->clone_flags & CLONE_NEWTIME) == 0;
}

static pid_t clone_directly(const struct turf_launch *launch, struct shared *shared) {
  struct clone_args args = {.flags = launch->clone_flags, .exit_signal = SIGCHLD};

  enter_cgroup(&args, launch->cgroup_fd);
  if (may_share(launch))
    return turf_clone_shared(&args, shared->stack, sizeof shared->stack, run_child, shared);
  args.flags |= CLONE_VFORK;
  pid_t pid = turf_clone3(&args);
  if (pid == 0)
    run_child(shared);
  return pid;
}

/* Without CLONE_VM, as everything from here on: those in the joined namespaces must not reach the launcher's memory. */
static _Noreturn void run_helper(const struct turf_launch *launch, struct shared *shared) {
  struct report *report = &shared->report;
  struct clone_args args = {.flags = launch->clone_flags | CLONE_PARENT | CLONE_VFORK};

  /* From setns on, a root in the joined user namespace could ptrace this copy of the launcher */
  (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  /* A launcher that is privileged outside may lose the right to join the PID namespace once it is in the user namespace;
   * an unprivileged one gains the right only there. */
  bool pid_joined = launch->pid_ns_fd >= 0 && setns(launch->pid_ns_fd, CLONE_NEWPID) == 0;
  if (launch->user_ns_fd >= 0 && setns(launch->user_ns_fd, CLONE_NEWUSER) < 0)
    fail(report, TURF_STEP_JOIN_USER_NS, errno);
  if (launch->pid_ns_fd >= 0 && !pid_joined && setns(launch->pid_ns_fd, CLONE_NEWPID) < 0)
    fail(report, TURF_STEP_JOIN_PID_NS, errno);

  /* clone3 refuses an exit signal beside CLONE_PARENT: the child takes over the helper's, SIGCHLD */
  pid_t pid = turf_clone3(&args);
  if (pid == 0)
    run_child(shared);
  if (pid < 0)
    fail(report, TURF_STEP_CLONE, -pid);
  report->pid = pid;
  _exit(0);
}

static void reap(pid_t pid) {
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
    ;
}

/* The helper is born in the cgroup and the child inherits that: after setns the rights on the cgroup may be gone. */
static pid_t clone_by_helper(const struct turf_launch *launch, struct shared *shared) {
  struct report *report = &shared->report;
  struct clone_args args = {.flags = CLONE_VFORK, .exit_signal = SIGCHLD};

  enter_cgroup(&args, launch->cgroup_fd);
  pid_t helper = turf_clone3(&args);
  if (helper == 0)
    run_helper(launch, shared);
  if (helper < 0)
    return helper;
  reap(helper);
  if (report->pid > 0)
    return report->pid;
  if (report->error == 0) {
    report->error = ECHILD;
    report->step = TURF_STEP_CLONE;
  }
  return -report->error;
}

static struct turf_launched launch_with(const struct turf_launch *launch, struct shared *shared) {
  shared->launch = launch;
  shared->report = (struct report){0};
  bool helper = launch->user_ns_fd >= 0 || launch->pid_ns_fd >= 0;
  pid_t pid = helper ? clone_by_helper(launch, shared) : clone_directly(launch, shared);
  const struct report *report = &shared->report;
  struct turf_launched launched = {.pid = pid, .step = ""};
  if (report->error != 0) {
    if (pid > 0)
      reap(pid);
    launched.pid = -report->error;
    launched.step = step_name(report->step);
  } else if (pid < 0) {
    launched.step = step_name(TURF_STEP_CLONE);
  }
  return launched;
}

/* What a caller has left open for the program came through exec: it is open, and is not close-on-exec, as all is that was opened here. */
static bool has_preserved(const struct turf_launch *launch) {
  for (uint32_t i = 0; i < launch->preserve_fds; i++) {
    int flags = fcntl(FIRST_PRESERVED + (int)i, F_GETFD);
    if (flags < 0 || (flags & FD_CLOEXEC) != 0)
      return false;
  }
  return true;
}

struct turf_launched turf_launch_run(const struct turf_launch *launch) {
  static struct shared own;

  if (!has_preserved(launch))
    return (struct turf_launched){.pid = -EBADF, .step = step_name(TURF_STEP_PRESERVE)};
  if (may_share(launch))
    return launch_with(launch, &own);
  struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED)
    return (struct turf_launched){.pid = -errno, .step = step_name(TURF_STEP_CLONE)};
  struct turf_launched launched = launch_with(launch, shared);
  (void)munmap(shared, sizeof *shared);
  return launched;
}
