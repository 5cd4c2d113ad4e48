/* park_clone.c - the first steps of a clone: drop the seed's descriptors, run the launch plan, renew what a fork repeats. */
#include "lib/park.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/syscalls.h"
#include "plan/plan.h"

#define HELLO 'H'
#define READY 'K'
#define FAILED 'E'
#define PLAN 'L'
#define PLAN_AHEAD 'A'
#define PLAN_SEED 'N'
#define READY_AHEAD 'R'

/* at most so many descriptors come between parking and this: a connection, a listener, the gate, libuv's pipe */
#define NEW_FDS 16

/* the daemon prepares cgroup, root and sockets while the clone is being made */
#define PLAN_PATIENCE_SECONDS 10

static void fail(int report_fd, const struct turf_plan_error *error) __attribute__((noreturn));

static void fail(int report_fd, const struct turf_plan_error *error) {
  uint8_t payload[16 + sizeof error->detail];
  uint32_t length = (uint32_t)strnlen(error->detail, sizeof error->detail);

  turf_put_u32(payload, (uint32_t)error->err);
  turf_put_u32(payload + 4, error->op_index);
  turf_put_u32(payload + 8, error->opcode);
  turf_put_u32(payload + 12, length);
  memcpy(payload + 16, error->detail, length);
  (void)turf_frame_send(report_fd, FAILED, payload, 16 + length, NULL, 0);
  _exit(1);
}

static void fail_step(int report_fd, int result, const char *step) __attribute__((noreturn));

static void fail_step(int report_fd, int result, const char *step) {
  struct turf_plan_error error = {.err = -result, .op_index = UINT32_MAX};

  (void)strncpy(error.detail, step, sizeof error.detail - 1);
  fail(report_fd, &error);
}

/* By insertion: the arrays are short, and qsort(3) may allocate. */
static void sort(int *numbers, uint32_t count) {
  for (uint32_t i = 1; i < count; i++) {
    int number = numbers[i];
    uint32_t at = i;

    for (; at > 0 && numbers[at - 1] > number; at--)
      numbers[at] = numbers[at - 1];
    numbers[at] = number;
  }
}

/* Closes everything above 2 that is not in `keep`, which is sorted in place. */
static int close_others(int *keep, uint32_t count) {
  unsigned first = 3;
  int r;

  sort(keep, count);
  for (uint32_t i = 0; i < count; i++) {
    if (keep[i] < 3)
      continue;
    r = turf_close_range(first, (unsigned)keep[i] - 1, 0);
    if (r < 0)
      return r;
    first = (unsigned)keep[i] + 1;
  }
  return turf_close_range(first, ~0u, 0);
}

/* The pipe that libuv's pthread_atfork handler made for its signal lock a moment ago: the descriptors that are neither the seed's nor
 * ours. libuv tells nobody their numbers. Returns how many there are. */
static uint32_t find_lock_pipe(const struct turf_park_descriptors *seed, const int *own, uint32_t own_count,
                               int pipe[TURF_PARK_LOCK_PIPE]) {
  ino_t now[TURF_KEPT_FD_FIRST];
  uint32_t count = 0;
  /* a new descriptor gets the lowest number that is free */
  int end = seed->end + NEW_FDS < TURF_KEPT_FD_FIRST ? seed->end + NEW_FDS : TURF_KEPT_FD_FIRST;

  turf_park_inodes(now, end);
  for (uint32_t i = 0; i < own_count; i++)
    now[own[i]] = 0;
  for (int fd = 3; fd < end && count < TURF_PARK_LOCK_PIPE; fd++)
    if (now[fd] != 0 && now[fd] != seed->inodes[fd])
      pipe[count++] = fd;
  return count;
}

/* libuv's loops wake themselves through event descriptors, also the loop of V8's task thread, which is gone in a clone: a write to a closed
 * one aborts the process, a write to the seed's would wake the seed. Each number gets an event descriptor of the clone's own. */
static int renew_event_fds(const struct turf_park_descriptors *seed) {
  for (uint32_t i = 0; i < seed->event_fd_count; i++) {
    int fresh = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fresh < 0)
      return -errno;
    if (fresh == seed->event_fds[i])
      continue;
    if (dup3(fresh, seed->event_fds[i], O_CLOEXEC) < 0)
      return -errno;
    (void)close(fresh);
  }
  return 0;
}

static void wait_for_seed(int gate) {
  char byte;
  ssize_t got;

  do
    got = read(gate, &byte, 1);
  while (got < 0 && errno == EINTR);
  if (got != 1)
    _exit(1);
}

/* `info` of PLAN and PLAN_SEED, for JavaScript, to the start of the buffer. 0 or -EPROTO. */
static int take_info(struct turf_park_clone *clone, const struct turf_frame *frame) {
  const uint8_t *payload = clone->buffer + TURF_FRAME_HEADER;

  if (frame->length < 4 || turf_get_u32(payload) != frame->length - 4)
    return -EPROTO;
  clone->info_length = frame->length - 4;
  memmove(clone->buffer, payload + 4, clone->info_length);
  return 0;
}

/* @param seconds 0: as long as it takes */
static void receive_plan(struct turf_park_clone *clone, int seconds) {
  struct turf_frame *frame = &clone->frame;
  int r = turf_park_receive(clone->connection, clone->buffer, clone->capacity, frame, seconds);

  /* the daemon has given up, and does not listen any more */
  if (r == -EPIPE || r == -ECONNRESET)
    _exit(1);
  if (r == 0 && frame->fd_count == 0)
    r = -EPROTO;
  if (r == 0 && (frame->type == PLAN || frame->type == PLAN_SEED))
    r = take_info(clone, frame);
  else if (r == 0 && (frame->type != PLAN_AHEAD || frame->length != 0))
    r = -EPROTO;
  if (r < 0)
    fail_step(clone->connection, r, "receive the plan");
}

static void run_plan(struct turf_park_clone *clone, int *report_fd) {
  struct turf_frame *frame = &clone->frame;
  struct turf_plan plan = {.fd_count = frame->fd_count - 1, .sync_fd = clone->connection};
  struct turf_plan_error error = {.op_index = UINT32_MAX};
  struct stat status;
  void *data;

  if (plan.fd_count > TURF_PLAN_MAX_FDS)
    fail_step(*report_fd, -EPROTO, "more descriptors than a plan has");
  if (fstat(frame->fds[0], &status) < 0)
    fail_step(*report_fd, -errno, "plan");
  data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, frame->fds[0], 0);
  if (data == MAP_FAILED)
    fail_step(*report_fd, -errno, "map the plan");
  (void)close(frame->fds[0]);
  plan.data = data;
  plan.length = (size_t)status.st_size;
  memcpy(plan.fds, frame->fds + 1, plan.fd_count * sizeof plan.fds[0]);
  if (turf_plan_run(&plan, &error, report_fd) < 0)
    fail(*report_fd, &error);
  (void)munmap(data, plan.length);
}

/* Drops all that is the seed's but `kept`, and gives libuv event descriptors of its own. *step says what failed. */
static int drop_seed(struct turf_park_clone *clone, const int *own, uint32_t own_count, int kept, const char **step) {
  int keep[1 + TURF_PARK_LOCK_PIPE] = {kept};
  uint32_t count = 1;
  int r;

  clone->lock_count = find_lock_pipe(&clone->seed, own, own_count, clone->lock);
  for (uint32_t i = 0; i < clone->lock_count; i++)
    keep[count++] = clone->lock[i];
  *step = "close_range";
  r = close_others(keep, count);
  if (r < 0)
    return r;
  *step = "eventfd";
  return renew_event_fds(&clone->seed);
}

/* OpenSSL sees a fork by the pid, which is 1 in every clone: its generators are reseeded from the kernel. RAND_poll says 1 also where the
 * kernel gave nothing; the generator then is in no state to give anything. */
static int renew_engine(const struct turf_park_clone *clone, const char **step) {
  *step = "RAND_poll";
  if (clone->rand_poll() != 1 || clone->rand_status() != 1)
    return -EIO;
  *step = "uv_loop_fork";
  return clone->loop_fork(clone->loop);
}

/* Keeps 0-2, what the plan adopted, what libuv needs, and the connection that the daemon waits on. */
static int keep_adopted(int *report_fd, const struct turf_park_descriptors *seed, const int *lock, uint32_t lock_count) {
  int keep[TURF_PARK_LOCK_PIPE + TURF_PARK_EVENT_FDS + TURF_KEPT_FD_LAST - TURF_KEPT_FD_FIRST + 2];
  uint32_t count = 0;
  int moved = fcntl(*report_fd, F_DUPFD_CLOEXEC, TURF_KEPT_FD_LAST + 1);

  if (moved < 0)
    return -errno;
  *report_fd = moved;
  keep[count++] = moved;
  for (uint32_t i = 0; i < lock_count; i++) {
    if (fcntl(lock[i], F_GETFD) < 0)
      return -errno;
    keep[count++] = lock[i];
  }
  for (uint32_t i = 0; i < seed->event_fd_count; i++)
    keep[count++] = seed->event_fds[i];
  for (int fd = TURF_KEPT_FD_FIRST; fd <= TURF_KEPT_FD_LAST; fd++)
    keep[count++] = fd;
  return close_others(keep, count);
}

/* The clone is a worker now, as far as C goes. */
static void finish(struct turf_park_clone *clone, int report_fd) {
  int started = report_fd != clone->connection;
  const char *step;
  int r = keep_adopted(&report_fd, &clone->seed, clone->lock, clone->lock_count);

  if (r < 0)
    fail_step(report_fd, r, "close_range");
  r = renew_engine(clone, &step);
  if (r < 0)
    fail_step(report_fd, r, step);
  r = turf_frame_send(report_fd, READY, NULL, 0, NULL, 0);
  /* without WAIT_START the daemon still watches over the clone: one that nobody waits for must not run */
  if (r < 0 && !started)
    _exit(1);
  (void)close(report_fd);
}

void turf_park_become_clone(struct turf_park_clone *clone) {
  int own[] = {clone->connection, clone->gate};
  int report_fd = clone->connection;
  const char *step;
  int r;

  wait_for_seed(clone->gate);
  r = drop_seed(clone, own, 2, clone->connection, &step);
  if (r < 0)
    fail_step(report_fd, r, step);
  r = turf_frame_send(clone->connection, HELLO, NULL, 0, NULL, 0);
  if (r < 0)
    _exit(1);
  receive_plan(clone, PLAN_PATIENCE_SECONDS);
  run_plan(clone, &report_fd);
  clone->waits = clone->frame.type == PLAN_AHEAD;
  if (!clone->waits)
    finish(clone, report_fd);
  /* one that parks again answers no request, and shares what it does not touch */
  if (clone->frame.type != PLAN_SEED)
    turf_park_warm_up(&clone->warmth);
}

void turf_park_follow_last_plan(struct turf_park_clone *clone) {
  int report_fd = clone->connection;

  if (turf_frame_send(clone->connection, READY_AHEAD, NULL, 0, NULL, 0) < 0)
    _exit(1);
  receive_plan(clone, 0);
  if (clone->frame.type != PLAN)
    fail_step(report_fd, -EPROTO, "receive the last plan");
  run_plan(clone, &report_fd);
  finish(clone, report_fd);
}

void turf_park_become_rehearsal(struct turf_park_clone *clone, int listener) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  int own[] = {listener, null};
  const char *step;

  /* what user code of the seed says here is said again by every clone */
  if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
    _exit(1);
  if (drop_seed(clone, own, 2, listener, &step) < 0 ||
      dup3(listener, TURF_KEPT_FD_FIRST, O_CLOEXEC) < 0 || close(listener) < 0 || renew_engine(clone, &step) < 0)
    _exit(1);
}
