#include "client/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

int turf_signals_open(void) {
  sigset_t set;

  sigfillset(&set);
  if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
    return -errno;
  sigdelset(&set, SIGPIPE);
  int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  return fd < 0 ? -errno : fd;
}

int turf_signals_next(int signals) {
  struct signalfd_siginfo info;

  return read(signals, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

void turf_signals_deliver(int number) {
  sigset_t set;

  sigemptyset(&set);
  sigaddset(&set, number);
  (void)raise(number);
  (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
  (void)sigprocmask(SIG_BLOCK, &set, NULL);
}
