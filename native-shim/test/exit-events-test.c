/* exit-events-test.c - wait statuses of processes that others reap. Needs root in the host's network and PID namespace. */
#include "supervisor/exit-events.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES 3

static int failures, count;

static void check(int good, const char *what) {
  failures += !good;
  (void)printf("%sok %d - %s\n", good ? "" : "not ", ++count, what);
}

/* A grandchild whose parent lives and never reaps: it is no child of ours, as the container of an engine. It ends as told when
 * a byte comes through `gate`. */
static pid_t stranger(int number, int gate, pid_t *parent) {
  int answer[2];
  pid_t pid = -1;

  if (pipe(answer) < 0)
    abort();
  *parent = fork();
  if (*parent == 0) {
    pid = fork();
    if (pid == 0) {
      char byte;
      (void)!read(gate, &byte, 1);
      if (number == 0)
        (void)raise(SIGKILL);
      _exit(number);
    }
    (void)!write(answer[1], &pid, sizeof pid);
    siginfo_t info;
    (void)waitid(P_PID, (id_t)pid, &info, WEXITED);
    for (;;)
      (void)pause();
  }
  if (read(answer[0], &pid, sizeof pid) != sizeof pid)
    abort();
  (void)close(answer[0]);
  (void)close(answer[1]);
  return pid;
}

int main(void) {
  struct turf_watches watches = {.epoll = epoll_create1(EPOLL_CLOEXEC)};
  struct turf_exit_events events = turf_exit_events_new();
  pid_t pids[PROCESSES], parents[PROCESSES];
  int gate[2], statuses[PROCESSES] = {SIGKILL, 1 << 8, 2 << 8};

  events.useless = false;
  if (pipe(gate) < 0)
    abort();
  for (int i = 0; i < PROCESSES; i++) {
    pids[i] = stranger(i, gate[0], &parents[i]);
    int pidfd = (int)syscall(SYS_pidfd_open, pids[i], 0);
    check(turf_watch_add(&watches, pids[i], (uint64_t)i, pidfd) == 0, "watched");
  }
  check(watches.foreign == PROCESSES, "none is a child of ours");
  turf_exit_events_follow(&events, &watches);
  if (events.useless) {
    (void)printf("ok %d - # SKIP the kernel does not let us listen\n1..%d\n", count + 1, count + 1);
    for (int i = 0; i < PROCESSES; i++)
      (void)kill(parents[i], SIGKILL), (void)kill(pids[i], SIGKILL);
    return failures != 0;
  }
  for (int i = 0; i < PROCESSES; i++)
    (void)!write(gate[1], "", 1);
  for (int i = 0; i < PROCESSES; i++) {
    struct turf_watch *watch = watches.buckets[(unsigned)pids[i] % TURF_WATCH_BUCKETS];
    struct pollfd end = {.fd = watch->pidfd, .events = POLLIN};
    check(poll(&end, 1, 10000) == 1, "ended");
    turf_exit_events_read(&events, &watches);
    check(watch->wait_status == statuses[i], "its status is known");
    turf_watch_remove(&watches, pids[i], (uint64_t)i);
    (void)kill(parents[i], SIGKILL);
    (void)waitpid(parents[i], NULL, 0);
  }
  turf_exit_events_follow(&events, &watches);
  check(watches.foreign == 0 && events.socket < 0, "nobody is left to listen to");
  (void)printf("1..%d\n", count);
  return failures != 0;
}
