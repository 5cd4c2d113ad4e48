/* park.c - the fork point: the seed's only thread blocks here and clones itself on request. */
#include "lib/park.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

#define QUESTION '?'
#define READY 'K'
#define FORK 'F'
#define FORKED 'P'
#define FAILED 'E'

/* a peer that stalls must not hold the seed for ever */
#define REQUEST_PATIENCE_SECONDS 2
#define FORK_PATIENCE_MS 20
#define NAMESPACES                                                                                                       \
  (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP)

struct ending_signals {
  struct sigaction term, interrupt, hangup;
};

struct turf_seed_point {
  struct turf_park_clone clone;
  struct ending_signals saved;
  sigset_t before;
  struct turf_park_piece *taken;
};

_Static_assert(TURF_KEPT_FD_FIRST == 200, "the text below names it");

static void answer_error(int connection, int error, const char *detail) {
  uint8_t payload[16 + 64];
  uint32_t length = (uint32_t)strnlen(detail, 64);

  turf_put_u32(payload, (uint32_t)error);
  turf_put_u32(payload + 4, UINT32_MAX);
  turf_put_u32(payload + 8, 0);
  turf_put_u32(payload + 12, length);
  memcpy(payload + 16, detail, length);
  (void)turf_frame_send(connection, FAILED, payload, 16 + length, NULL, 0);
}

/* What is wrong with a fork request, NULL for nothing. `payload`: u32 namespaces. */
static const char *refusal(const uint8_t *payload, const struct turf_frame *frame) {
  if (frame->length != 4)
    return "malformed fork request";
  if ((turf_get_u32(payload) & ~(uint32_t)NAMESPACES) != 0)
    return "a flag that is no namespace";
  return frame->fd_count != 0 ? "descriptors belong to the clone, not to the request" : NULL;
}

/* Returns 1 in the clone, 0 in the seed. */
static int serve_fork(struct turf_park_clone *clone, const uint8_t *payload) {
  int connection = clone->connection;
  const char *step = refusal(payload, &clone->frame);
  cleanup_fd int gate_out = -1;
  cleanup_fd int gate_in = -1;
  uint8_t answer[4];
  int gate[2];
  pid_t pid;

  if (step != NULL) {
    answer_error(connection, EINVAL, step);
    return 0;
  }
  if (turf_park_threads_sleep(FORK_PATIENCE_MS) < 0) {
    answer_error(connection, EBUSY, "another thread of the seed runs");
    return 0;
  }
  if (pipe2(gate, O_CLOEXEC) < 0) {
    answer_error(connection, errno, "pipe2");
    return 0;
  }
  gate_out = gate[0];
  gate_in = gate[1];
  if (gate_in >= TURF_KEPT_FD_FIRST || gate_out >= TURF_KEPT_FD_FIRST || connection >= TURF_KEPT_FD_FIRST) {
    answer_error(connection, EMFILE, "too many open descriptors");
    return 0;
  }
  pid = turf_park_fork(turf_get_u32(payload), &step);
  if (pid == 0) {
    turf_close(&gate_in);
    clone->gate = steal_fd(&gate_out);
    turf_park_become_clone(clone);
    return 1;
  }
  if (pid < 0) {
    answer_error(connection, -pid, step);
    return 0;
  }
  turf_put_u32(answer, (uint32_t)pid);
  if (turf_frame_send(connection, FORKED, answer, sizeof answer, NULL, 0) == 0)
    (void)!write(gate_in, "", 1); /* otherwise the clone reads the end of the pipe and leaves */
  return 0;
}

/* `u32 pages`: how many a clone finds ready. */
static void answer_ready(const struct turf_park_clone *clone) {
  uint8_t payload[4];

  turf_put_u32(payload, clone->warmth.pages);
  (void)turf_frame_send(clone->connection, READY, payload, sizeof payload, NULL, 0);
}

/* Returns 1 in a clone. A request that cannot be understood costs its connection, nothing else. */
static int serve(struct turf_park_clone *clone) {
  struct turf_frame *frame = &clone->frame;
  uint8_t *buffer = clone->buffer;
  int cloned = 0;

  if (turf_park_receive(clone->connection, buffer, clone->capacity, frame, REQUEST_PATIENCE_SECONDS) == 0) {
    if (frame->type == QUESTION)
      answer_ready(clone);
    else if (frame->type == FORK)
      cloned = serve_fork(clone, buffer + TURF_FRAME_HEADER);
  }
  if (!cloned)
    turf_frame_close_fds(frame);
  return cloned;
}

static int accept_one(int control_fd) {
  struct pollfd ready = {.fd = control_fd, .events = POLLIN};
  int connection = accept4(control_fd, NULL, NULL, SOCK_CLOEXEC);

  if (connection >= 0)
    return connection;
  if (errno == EBADF || errno == ENOTSOCK || errno == EINVAL || errno == EOPNOTSUPP)
    return -errno;
  (void)poll(&ready, 1, errno == EAGAIN ? -1 : 10);
  return -EAGAIN;
}

/* A blocked thread runs no JavaScript handler: the signals that end a process must do so by themselves. */
static void default_signals(struct ending_signals *saved) {
  struct sigaction action = {.sa_handler = SIG_DFL};

  (void)sigaction(SIGTERM, &action, &saved->term);
  (void)sigaction(SIGINT, &action, &saved->interrupt);
  (void)sigaction(SIGHUP, &action, &saved->hangup);
}

static void restore_signals(const struct ending_signals *saved) {
  (void)sigaction(SIGTERM, &saved->term, NULL);
  (void)sigaction(SIGINT, &saved->interrupt, NULL);
  (void)sigaction(SIGHUP, &saved->hangup, NULL);
}

static int find_engine(struct turf_park_clone *clone, char *message, uint32_t size) {
  void *(*default_loop)(void);

  *(void **)&clone->rand_poll = dlsym(RTLD_DEFAULT, "RAND_poll");
  *(void **)&clone->rand_status = dlsym(RTLD_DEFAULT, "RAND_status");
  *(void **)&clone->loop_fork = dlsym(RTLD_DEFAULT, "uv_loop_fork");
  *(void **)&default_loop = dlsym(RTLD_DEFAULT, "uv_default_loop");
  if (clone->rand_poll == NULL || clone->rand_status == NULL || clone->loop_fork == NULL || default_loop == NULL) {
    (void)snprintf(message, size, "this node binary does not export RAND_poll, RAND_status, uv_loop_fork and uv_default_loop");
    return -ENOSYS;
  }
  clone->loop = default_loop();
  return 0;
}

static int tell(struct turf_seed_point *point, const char *info) {
  (void)strcpy((char *)point->clone.buffer, info);
  return (int)strlen(info);
}

/* The clone is what it is to be: signals are JavaScript's again. */
static int leave(struct turf_seed_point *point) {
  restore_signals(&point->saved);
  (void)sigprocmask(SIG_SETMASK, &point->before, NULL);
  return (int)point->clone.info_length;
}

struct turf_seed_point *turf_seed_point_new(void) {
  return calloc(1, sizeof(struct turf_seed_point));
}

int turf_seed_park(struct turf_seed_point *point, int control_fd, uint8_t *buffer, uint32_t capacity, char *message,
                   uint32_t message_size) {
  struct turf_park_clone *clone = &point->clone;
  sigset_t all;
  int cloned;
  int r = capacity < TURF_CONTROL_LIMIT + TURF_FRAME_HEADER ? -EINVAL : find_engine(clone, message, message_size);

  turf_park_forget(&clone->warmth);
  *clone = (struct turf_park_clone){.connection = -1,
                                    .gate = -1,
                                    .buffer = buffer,
                                    .capacity = capacity,
                                    .inherits = clone->buffer != NULL,
                                    .rand_poll = clone->rand_poll,
                                    .rand_status = clone->rand_status,
                                    .loop_fork = clone->loop_fork,
                                    .loop = clone->loop};
  if (r == 0)
    r = turf_seed_prepare(control_fd, message, message_size);
  if (r == 0)
    r = turf_park_descriptors(&clone->seed);
  if (r < 0)
    return r;
  /* without huge pages (no memory, switched off) clones only take longer */
  (void)turf_park_code_to_huge_pages();
  turf_park_settle_malloc(&point->taken);
  (void)sigfillset(&all);
  default_signals(&point->saved);
  (void)sigprocmask(SIG_BLOCK, &all, &point->before);
  cloned = turf_park_rehearse(clone);
  if (cloned) {
    (void)leave(point);
    return tell(point, "{\"rehearsal\":true,\"listenFd\":200}");
  }
  /* one that is a clone itself shares them with the seed that it was made of */
  if (!clone->inherits)
    (void)turf_park_constants_to_huge_pages(&clone->warmth);
  (void)sigprocmask(SIG_SETMASK, &point->before, NULL);
  while (!cloned) {
    r = accept_one(control_fd);
    if (r == -EAGAIN)
      continue;
    if (r < 0)
      return r;
    clone->connection = r;
    (void)sigprocmask(SIG_BLOCK, &all, &point->before);
    cloned = serve(clone);
    if (!cloned) {
      (void)close(clone->connection);
      (void)sigprocmask(SIG_SETMASK, &point->before, NULL);
    }
  }
  return clone->waits ? tell(point, "{\"ahead\":true}") : leave(point);
}

int turf_seed_resume(struct turf_seed_point *point) {
  turf_park_follow_last_plan(&point->clone);
  return leave(point);
}

void turf_exit(int code) {
  _exit(code);
}

int turf_pid(void) {
  return getpid();
}
