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
#include <sys/random.h>
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

/* What is wrong with a fork request, NULL for nothing. `payload`: u32 namespaces, str info. */
static const char *refusal(const uint8_t *payload, const struct turf_frame *frame) {
  if (frame->length < 8 || turf_get_u32(payload + 4) != frame->length - 8)
    return "malformed fork request";
  if ((turf_get_u32(payload) & ~(uint32_t)NAMESPACES) != 0)
    return "a flag that is no namespace";
  return frame->fd_count != 0 ? "descriptors belong to the clone, not to the request" : NULL;
}

/* Returns 1 in the clone, 0 in the seed. */
static int serve_fork(struct turf_park_clone *clone, const uint8_t *payload) {
  int connection = clone->connection;
  const char *step = refusal(payload, clone->frame);
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
static int serve(struct turf_park_clone *clone, uint8_t *buffer, uint32_t capacity) {
  struct turf_frame *frame = clone->frame;
  int cloned = 0;

  if (turf_park_receive(clone->connection, buffer, capacity, frame, REQUEST_PATIENCE_SECONDS) == 0) {
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
  *(void **)&clone->loop_fork = dlsym(RTLD_DEFAULT, "uv_loop_fork");
  *(void **)&default_loop = dlsym(RTLD_DEFAULT, "uv_default_loop");
  if (clone->rand_poll == NULL || clone->loop_fork == NULL || default_loop == NULL) {
    (void)snprintf(message, size, "this node binary does not export RAND_poll, uv_loop_fork and uv_default_loop");
    return -ENOSYS;
  }
  clone->loop = default_loop();
  return 0;
}

static int rehearsal_info(const struct ending_signals *saved, uint8_t *buffer, uint32_t capacity) {
  restore_signals(saved);
  return snprintf((char *)buffer, capacity, "{\"rehearsal\":true,\"listenFd\":%d}", TURF_KEPT_FD_FIRST);
}

int turf_seed_park(int control_fd, uint8_t *buffer, uint32_t capacity, char *message, uint32_t message_size) {
  struct turf_frame frame = {0};
  struct turf_park_clone clone = {.connection = -1, .gate = -1, .frame = &frame};
  struct ending_signals saved;
  sigset_t all, before;
  int cloned = 0;
  int r = capacity < TURF_CONTROL_LIMIT + TURF_FRAME_HEADER ? -EINVAL : find_engine(&clone, message, message_size);

  if (r == 0)
    r = turf_seed_prepare(control_fd, message, message_size);
  if (r == 0)
    r = turf_park_descriptors(&clone.seed);
  if (r < 0)
    return r;
  /* without huge pages (no memory, switched off) clones only take longer */
  (void)turf_park_code_to_huge_pages();
  (void)sigfillset(&all);
  default_signals(&saved);
  (void)sigprocmask(SIG_BLOCK, &all, &before);
  cloned = turf_park_rehearse(&clone);
  (void)sigprocmask(SIG_SETMASK, &before, NULL);
  if (cloned)
    return rehearsal_info(&saved, buffer, capacity);
  while (!cloned) {
    r = accept_one(control_fd);
    if (r == -EAGAIN)
      continue;
    if (r < 0)
      return r;
    clone.connection = r;
    (void)sigprocmask(SIG_BLOCK, &all, &before);
    cloned = serve(&clone, buffer, TURF_CONTROL_LIMIT + TURF_FRAME_HEADER);
    if (!cloned) {
      (void)close(clone.connection);
      /* the environment of one worker must not lie in the memory of the next */
      explicit_bzero(buffer, TURF_FRAME_HEADER + (frame.length > TURF_CONTROL_LIMIT ? 0 : frame.length));
      (void)sigprocmask(SIG_SETMASK, &before, NULL);
    }
  }
  restore_signals(&saved);
  (void)sigprocmask(SIG_SETMASK, &before, NULL);
  r = (int)(frame.length - 8);
  memmove(buffer, buffer + TURF_FRAME_HEADER + 8, (size_t)r);
  return r;
}

void turf_exit(int code) {
  _exit(code);
}

int turf_pid(void) {
  return getpid();
}
