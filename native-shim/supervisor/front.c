#include "supervisor/front.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "supervisor/notify.h"

static int open_signals(void) {
  sigset_t set;

  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || sigprocmask(SIG_BLOCK, &set, NULL) < 0)
    return -errno;
  int fd = signalfd(-1, &set, SFD_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

/* SIGHUP means that a terminal has gone: containers and daemon do not depend on it. */
static void act_on_signal(int signals, int supervisor) {
  static const char stop = TURF_FRONT_STOP;
  struct signalfd_siginfo info;

  if (read(signals, &info, sizeof info) != sizeof info || info.ssi_signo == SIGHUP)
    return;
  turf_notify("STOPPING=1");
  (void)send(supervisor, &stop, sizeof stop, MSG_NOSIGNAL);
}

static void announce_ready(void) {
  char state[64];

  (void)snprintf(state, sizeof state, "READY=1\nMAINPID=%d", (int)getpid());
  turf_notify(state);
}

int turf_front_run(int supervisor) {
  cleanup_fd int signals = open_signals();

  if (signals < 0)
    return 1;
  for (;;) {
    struct pollfd sources[] = {{.fd = supervisor, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    if (poll(sources, 2, -1) < 0)
      continue;
    if (sources[1].revents != 0)
      act_on_signal(signals, supervisor);
    if (sources[0].revents == 0)
      continue;
    unsigned char message[2] = {0};
    ssize_t length = recv(supervisor, message, sizeof message, 0);
    if (length == 1 && message[0] == TURF_FRONT_READY)
      announce_ready();
    if (length == 2 && message[0] == TURF_FRONT_EXIT)
      return message[1];
    if (length <= 0) {
      (void)fprintf(stderr, "turfd: the supervisor ended\n");
      return 1;
    }
  }
}
