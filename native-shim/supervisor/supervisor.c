#include "supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "supervisor/ends.h"
#include "supervisor/front.h"
#include "supervisor/requests.h"

/* milliseconds */
#define BACK_OFF_FIRST 100
#define BACK_OFF_LAST 5000
#define STABLE_LIFE 10000
#define STOP_PATIENCE 10000
#define SWEEP_PAUSE 100

static int64_t now(void) {
  struct timespec time;

  (void)clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* In the epoll set data.ptr is the address of the descriptor's field here, or a struct turf_watch. */
static int add_source(struct turf_supervisor *s, int *fd, uint32_t events, int operation) {
  struct epoll_event event = {.events = events, .data.ptr = fd};

  return epoll_ctl(s->epoll, operation, *fd, &event) < 0 ? -errno : 0;
}

void turf_supervisor_kill_node(struct turf_supervisor *s, const char *reason) {
  if (s->node <= 0)
    return;
  (void)fprintf(stderr, "turfd: killing the daemon: %s\n", reason);
  (void)kill(s->node, SIGKILL);
}

void turf_supervisor_send(struct turf_supervisor *s, uint32_t type, const void *payload, uint32_t length) {
  if (s->channel < 0)
    return;
  int result = turf_outbox_put(&s->outbox, s->channel, type, payload, length);
  if (result == -ENOBUFS)
    turf_supervisor_kill_node(s, "it does not read its channel");
  if (s->outbox.length > 0)
    (void)add_source(s, &s->channel, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

static void schedule_restart(struct turf_supervisor *s) {
  int64_t time = now();

  if (s->back_off == 0 || time - s->started_at >= STABLE_LIFE)
    s->back_off = BACK_OFF_FIRST;
  s->restart_at = time + s->back_off;
  (void)fprintf(stderr, "turfd: starting the daemon again in %d ms\n", (int)s->back_off);
  s->back_off = s->back_off * 2 < BACK_OFF_LAST ? s->back_off * 2 : BACK_OFF_LAST;
}

static int start_node(struct turf_supervisor *s) {
  s->restart_at = 0;
  s->started_at = now();
  pid_t pid = turf_node_start(&s->node_command, &s->channel);
  if (pid < 0)
    return pid;
  s->node = pid;
  return add_source(s, &s->channel, EPOLLIN, EPOLL_CTL_ADD);
}

/* The front may be run with its output on a pipe: a keeper that held it open would keep the reader waiting. The same
 * goes for the directory, on a file system that is to be unmounted. */
static void leave_surroundings(void) {
  cleanup_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

  for (int fd = 0; fd < 3 && null >= 0; fd++)
    (void)dup2(null, fd);
  if (chdir("/") < 0)
    (void)fprintf(stderr, "turfd: cannot leave the working directory\n");
}

/* The lock is free before the front exits: who waits for that exit may start the next daemon at once. */
static void give_up_node(struct turf_supervisor *s, int exit_code) {
  unsigned char message[2] = {TURF_FRONT_EXIT, (unsigned char)exit_code};

  s->gone = true;
  s->kill_at = s->restart_at = 0;
  /* the next daemon binds them anew */
  turf_listeners_clear(&s->listeners);
  (void)flock(s->lock, LOCK_UN);
  turf_close(&s->lock);
  leave_surroundings();
  (void)send(s->front, message, sizeof message, MSG_NOSIGNAL);
  turf_close(&s->front);
}

static void describe_end(int status) {
  if (WIFSIGNALED(status))
    (void)fprintf(stderr, "turfd: the daemon was killed by signal %d\n", WTERMSIG(status));
  else
    (void)fprintf(stderr, "turfd: the daemon exited with %d\n", WEXITSTATUS(status));
}

static void node_ended(struct turf_supervisor *s, int status) {
  turf_supervisor_drain(s);
  s->node = 0;
  s->kill_at = 0;
  if (s->stopping) {
    give_up_node(s, 0);
  } else if (s->quitting || !s->ready) {
    if (WIFSIGNALED(status))
      describe_end(status);
    give_up_node(s, WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
  } else {
    describe_end(status);
    schedule_restart(s);
  }
}

static void stop(struct turf_supervisor *s) {
  if (s->stopping || s->gone)
    return;
  s->stopping = true;
  if (s->node > 0) {
    (void)kill(s->node, SIGTERM);
    s->kill_at = now() + STOP_PATIENCE;
  } else {
    give_up_node(s, 0);
  }
}

/* Of children that end together one signal may tell: the others are looked for a moment later, since the kernel goes through all
 * that live. Watched ones tell by their pidfds at once. */
static void reap(struct turf_supervisor *s, pid_t child) {
  struct turf_node_end node = {0};

  (void)turf_supervisor_reap_child(s, child, &node);
  if (s->sweep_at == 0)
    s->sweep_at = now() + SWEEP_PAUSE;
  if (node.ended)
    node_ended(s, node.wait_status);
}

static void sweep(struct turf_supervisor *s) {
  struct turf_node_end node = {0};

  s->sweep_at = 0;
  turf_supervisor_sweep(s, &node);
  if (node.ended)
    node_ended(s, node.wait_status);
}

/* Frees `watch`, whose process has ended. */
static void end_watch(struct turf_supervisor *s, const struct turf_watch *watch) {
  struct turf_node_end node = {0};
  size_t removals = s->watches.removals;

  (void)turf_supervisor_reap_child(s, watch->pid, &node);
  if (s->watches.removals == removals)
    turf_supervisor_end_watch(s, watch);
  if (node.ended)
    node_ended(s, node.wait_status);
}

static void read_signal(struct turf_supervisor *s) {
  struct signalfd_siginfo info;

  if (read(s->signals, &info, sizeof info) != sizeof info)
    return;
  if (info.ssi_signo == SIGCHLD)
    reap(s, (pid_t)info.ssi_pid);
  else if (info.ssi_signo != SIGHUP)
    stop(s);
}

static void read_front(struct turf_supervisor *s) {
  char message;

  (void)recv(s->front, &message, sizeof message, 0);
  stop(s);
  /* at its end of file it would be readable for ever */
  if (s->front >= 0)
    (void)epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->front, NULL);
}

/* A daemon that is away asks again. */
static void report_connection(struct turf_supervisor *s) {
  const struct turf_listener *listener = turf_listeners_next(&s->listeners);

  if (listener != NULL)
    turf_supervisor_send(s, 'C', listener->name, listener->length);
}

static void serve_channel(struct turf_supervisor *s, uint32_t events) {
  if ((events & EPOLLOUT) != 0) {
    (void)turf_outbox_flush(&s->outbox, s->channel);
    if (s->outbox.length == 0)
      (void)add_source(s, &s->channel, EPOLLIN, EPOLL_CTL_MOD);
  }
  if ((events & ~(uint32_t)EPOLLOUT) != 0)
    turf_supervisor_read(s);
  if (s->channel < 0 && s->node > 0 && s->kill_at == 0)
    s->kill_at = now() + STOP_PATIENCE;
}

static int timeout(const struct turf_supervisor *s) {
  const int64_t times[] = {s->restart_at, s->kill_at, s->sweep_at};
  int64_t next = 0;

  for (size_t i = 0; i < sizeof times / sizeof *times; i++)
    if (times[i] != 0 && (next == 0 || times[i] < next))
      next = times[i];
  if (next == 0)
    return -1;
  int64_t left = next - now();
  return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static void act_on_time(struct turf_supervisor *s) {
  int64_t time = now();

  if (s->sweep_at != 0 && time >= s->sweep_at)
    sweep(s);
  if (s->kill_at != 0 && time >= s->kill_at) {
    turf_supervisor_kill_node(s, "it did not stop in time");
    s->kill_at = 0;
  }
  if (s->restart_at != 0 && time >= s->restart_at && start_node(s) < 0)
    schedule_restart(s);
}

static void serve(struct turf_supervisor *s) {
  struct epoll_event event;

  /* One event at a time: handling one may free the entry of another */
  if (epoll_wait(s->epoll, &event, 1, timeout(s)) > 0) {
    if (event.data.ptr == &s->signals) {
      read_signal(s);
    } else if (event.data.ptr == &s->front) {
      read_front(s);
    } else if (event.data.ptr == &s->exit_events) {
      turf_exit_events_read(&s->exit_events, &s->watches);
    } else if (event.data.ptr == &s->listeners.epoll) {
      report_connection(s);
    } else if (event.data.ptr == &s->channel) {
      serve_channel(s, event.events);
    } else {
      end_watch(s, event.data.ptr);
    }
  }
  act_on_time(s);
  turf_exit_events_follow(&s->exit_events, &s->watches);
}

/* One pidfd per watched process: the usual soft limit of 1024 would do for no more than a thousand of them. */
static void raise_open_files(struct turf_supervisor *s) {
  struct rlimit limit;

  if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
    return;
  s->open_files = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int prepare(struct turf_supervisor *s) {
  sigset_t set;

  /* Ctrl-C reaches the whole foreground process group: only the front shall get it */
  (void)setsid();
  /* a log pipe whose reader has gone must not end what keeps the containers' exit codes */
  (void)signal(SIGPIPE, SIG_IGN);
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
    return -errno;
  raise_open_files(s);
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
    return -errno;
  s->signals = signalfd(-1, &set, SFD_CLOEXEC);
  s->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (s->signals < 0 || s->epoll < 0)
    return -errno;
  s->listeners.epoll = epoll_create1(EPOLL_CLOEXEC);
  if (s->listeners.epoll < 0)
    return -errno;
  s->watches.epoll = s->epoll;
  s->exit_events = turf_exit_events_new();
  int result = add_source(s, &s->signals, EPOLLIN, EPOLL_CTL_ADD);
  if (result == 0)
    result = add_source(s, &s->listeners.epoll, EPOLLIN, EPOLL_CTL_ADD);
  return result < 0 ? result : add_source(s, &s->front, EPOLLIN, EPOLL_CTL_ADD);
}

int turf_supervisor_run(const struct turf_node *node, int root, int lock, int front) {
  struct turf_supervisor s = {
      .node_command = *node, .root = root, .lock = lock, .front = front, .epoll = -1, .signals = -1, .channel = -1};

  int result = prepare(&s);
  if (result == 0)
    result = start_node(&s);
  if (result < 0) {
    (void)fprintf(stderr, "turfd: cannot start the daemon: %s\n", strerror(-result));
    return 1;
  }
  while (!s.gone || s.watches.count > 0 || turf_supervisor_has_children())
    serve(&s);
  return 0;
}
