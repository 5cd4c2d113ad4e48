/* libFuzzer harness of what a plan hears while it runs: GO on the sync channel, START on the start socket, and the daemon's frames to a
 * stand-in. The first byte says which, and how many descriptors come with the first frame; the rest is all that is sent. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/exit-info.h"
#include "base/frame.h"
#include "fuzz/send_input.h"
#include "plan/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int connection = -1; /* what accept4 gives, once */
static int any = -1;        /* what is sent: not a socket of ours, which would keep the connection open */
static jmp_buf out;
static bool armed;

int turf_fail(struct turf_run *run, int result, ...) {
  (void)run;
  return result;
}

int turf_run_take_fd(struct turf_run *run, struct turf_reader *payload) {
  (void)payload;
  return steal_fd(&run->plan->fds[0]);
}

bool turf_exit_info(int pidfd, int *wait_status) {
  (void)pidfd;
  *wait_status = 9;
  return true;
}

int accept4(int listening, struct sockaddr *restrict address, socklen_t *restrict length, int flags) {
  (void)listening, (void)address, (void)length, (void)flags;
  if (connection < 0)
    errno = EINVAL;
  return steal_fd(&connection);
}

/* A stand-in is a process of its own: it may block signals, let go of its standard descriptors, signal itself and end. */
int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict old) {
  (void)how, (void)set, (void)old;
  return 0;
}

int signalfd(int fd, const sigset_t *set, int flags) {
  (void)fd, (void)set, (void)flags;
  return memfd_create("signals", MFD_CLOEXEC);
}

int dup2(int from, int to) {
  return from >= 0 && to >= 0 && to <= 2 ? to : -1;
}

int kill(pid_t pid, int number) {
  if (pid != getpid() || number <= 0 || number > 127)
    abort();
  return 0;
}

__sighandler_t signal(int number, __sighandler_t handler) {
  if (number <= 0 || number > 127)
    abort();
  return handler;
}

void _exit(int status) {
  if (armed)
    longjmp(out, 1);
  (void)syscall(SYS_exit_group, status);
  abort();
}

static void check_pid(const struct turf_run *run) {
  if (memchr(run->pid_text, 0, sizeof run->pid_text) == NULL)
    abort();
  if (strspn(run->pid_text, "0123456789") != strlen(run->pid_text))
    abort();
}

static void run_stand_in(struct turf_run *run, struct turf_reader *payload) {
  armed = true;
  if (setjmp(out) == 0) {
    (void)turf_op_stand_in(run, payload);
    abort(); /* it ends, it does not return */
  }
  armed = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  unsigned char tag[4] = {1};
  struct turf_plan plan = {.sync_fd = -1};
  struct turf_plan_error error = {0};
  struct turf_reader payload = {.at = tag, .end = tag + sizeof tag};
  struct turf_run run = {.plan = &plan, .error = &error, .root_fd = -1, .proc_fd = -1, .null_fd = -1, .empty_fd = -1};
  int ends[2], sync[2];

  if (size < 1 || size > 65536)
    return 0;
  if (any < 0)
    any = memfd_create("any", MFD_CLOEXEC);
  int first = dup(any);
  (void)close(first);
  run.start_fd = run.listener_fd = run.mounts_fd = -1;
  plan.fds[0] = -1;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sync) < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
    abort();
  send_input(ends[0], data + 1, size - 1, any, data[0] >> 2 & 7);
  (void)shutdown(ends[0], SHUT_WR);
  plan.sync_fd = sync[0];
  switch (data[0] & 3) {
  case 0:
  case 1:
    (void)close(plan.sync_fd);
    plan.sync_fd = ends[1];
    while (turf_op_sync(&run, &payload) == 0) {
      check_pid(&run);
      payload = (struct turf_reader){.at = tag, .end = tag + sizeof tag};
    }
    break;
  case 2:
    connection = ends[1];
    if ((turf_op_wait_start(&run, &payload) == 0) != (run.start_fd >= 0))
      abort();
    break;
  default:
    plan.fds[0] = ends[1];
    run_stand_in(&run, &payload);
  }
  /* what a process held when it ended is the kernel's to close */
  (void)syscall(SYS_close_range, (unsigned)first, ~0u, 0);
  return 0;
}
