/* stand-in.c - the process that an engine takes for the container's first one where that is a clone of a seed.
 *
 * An engine reaps only what descends from its monitor, which a clone does not. The stand-in does: it hands its standard descriptors
 * to the daemon for the worker, passes signals on to the worker, and ends as the worker ended. It reads nothing that a worker wrote.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/exit-info.h"
#include "base/frame.h"
#include "plan/run.h"

#define STDIO_FRAME 'D'
#define READY 'K'
#define WORKER 'W'
#define ENDED 'X'

/* how often, in milliseconds, the kernel is asked about a worker that has ended and is not reaped yet, and for how long */
#define ASK_EVERY_MS 20
#define ASK_TIMES 250
#define STATUS_UNKNOWN 255

struct stand_in {
  int daemon; /* -1 once it has gone */
  int worker; /* pidfd, -1 once it has ended */
  int signals;
};

static _Noreturn void end_as(int wait_status) {
  sigset_t set;

  if (WIFSIGNALED(wait_status)) {
    int number = WTERMSIG(wait_status);

    (void)signal(number, SIG_DFL);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, number);
    (void)kill(getpid(), number);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
    /* PID 1 of a namespace, which the engine would have to be, survives its own signals */
    _exit(128 + number);
  }
  _exit(WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : STATUS_UNKNOWN);
}

/* Whoever holds the engine's pipes keeps its reader waiting: only the worker is to. */
static int let_go_of_stdio(void) {
  cleanup_fd int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

  if (nothing < 0)
    return -errno;
  for (int fd = 0; fd <= 2; fd++)
    if (dup2(nothing, fd) < 0)
      return -errno;
  return 0;
}

static void pass_signal_on(const struct stand_in *self) {
  struct signalfd_siginfo info;

  if (read(self->signals, &info, sizeof info) != sizeof info || info.ssi_signo == SIGCHLD || info.ssi_signo == SIGPIPE)
    return;
  if (self->worker >= 0)
    (void)syscall(SYS_pidfd_send_signal, self->worker, (int)info.ssi_signo, NULL, 0);
}

static void hear_daemon(struct stand_in *self) {
  unsigned char payload[4];
  struct turf_frame frame;

  if (turf_frame_receive(self->daemon, payload, sizeof payload, &frame) < 0) {
    turf_close(&self->daemon);
    return;
  }
  turf_frame_close_fds(&frame);
  if (frame.type == ENDED && frame.length == sizeof payload)
    end_as((int)turf_get_u32(payload));
}

static _Noreturn void stand_in(struct stand_in *self) {
  int ended = self->worker;

  for (int asked = 0; self->worker >= 0 || asked < ASK_TIMES; asked += self->worker < 0) {
    struct pollfd sources[] = {{.fd = self->signals, .events = POLLIN},
                               {.fd = self->worker, .events = POLLIN},
                               {.fd = self->daemon, .events = POLLIN}};
    int status;

    if (poll(sources, 3, self->worker < 0 ? ASK_EVERY_MS : -1) < 0)
      continue;
    if (sources[0].revents != 0)
      pass_signal_on(self);
    if (sources[1].revents != 0)
      self->worker = -1;
    if (sources[2].revents != 0)
      hear_daemon(self);
    if (self->worker < 0 && turf_exit_info(ended, &status))
      end_as(status);
  }
  _exit(STATUS_UNKNOWN);
}

static int receive_worker(struct stand_in *self) {
  unsigned char nothing[1];
  struct turf_frame frame;
  int result = turf_frame_receive(self->daemon, nothing, 0, &frame);

  if (result < 0)
    return result;
  if (frame.type == WORKER && frame.fd_count == 1)
    self->worker = steal_fd(&frame.fds[0]);
  else
    result = -EPROTO;
  turf_frame_close_fds(&frame);
  return result;
}

int turf_op_stand_in(struct turf_run *run, struct turf_reader *payload) {
  static const int stdio[] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
  struct stand_in self = {.daemon = turf_run_take_fd(run, payload), .worker = -1};
  sigset_t all;

  /* blocked first: what comes before there is a worker waits for it */
  (void)sigfillset(&all);
  if (sigprocmask(SIG_SETMASK, &all, NULL) < 0 || (self.signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
    return turf_fail(run, -errno, "watch signals", NULL);
  int result = turf_frame_send(self.daemon, STDIO_FRAME, NULL, 0, stdio, 3);
  if (result < 0)
    return turf_fail(run, result, "hand over the standard descriptors", NULL);
  result = let_go_of_stdio();
  if (result < 0)
    return turf_fail(run, result, "open /dev/null", NULL);
  result = turf_frame_send(run->plan->sync_fd, READY, NULL, 0, NULL, 0);
  if (result < 0)
    return turf_fail(run, result, "report readiness", NULL);
  turf_close(&run->plan->sync_fd);
  /* the daemon gave up: there is no worker */
  if (receive_worker(&self) < 0)
    _exit(1);
  stand_in(&self);
}
