/* sync.c - the process's end of the sync channel and of the start socket. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/frame.h"
#include "plan/run.h"

#define ENDING_SIGNALS 4

/* The payload of GO: empty, or a str of digits. */
static int keep_pid(struct turf_run *run, const unsigned char *payload, uint32_t length) {
  uint32_t digits = length >= 4 ? turf_get_u32(payload) : 0;

  if (length == 0)
    return 0;
  if (length < 4 || digits != length - 4 || digits >= sizeof run->pid_text)
    return -EPROTO;
  for (uint32_t i = 0; i < digits; i++)
    if (payload[4 + i] < '0' || payload[4 + i] > '9')
      return -EPROTO;
  if (digits > 0) {
    memcpy(run->pid_text, payload + 4, digits);
    run->pid_text[digits] = 0;
  }
  return 0;
}

int turf_op_sync(struct turf_run *run, struct turf_reader *payload) {
  unsigned char tag[4];
  unsigned char answer[4 + TURF_PID_TEXT];
  struct turf_frame frame;

  turf_put_u32(tag, turf_read_u32(payload));
  int result = turf_frame_send(run->plan->sync_fd, 'S', tag, sizeof tag, NULL, 0);
  if (result == 0)
    result = turf_frame_receive(run->plan->sync_fd, answer, sizeof answer, &frame);
  if (result == -EPIPE || result == -ECONNRESET)
    return turf_fail(run, -ECANCELED, "the daemon gave up", NULL);
  if (result == 0) {
    turf_frame_close_fds(&frame);
    result = frame.type == 'G' ? keep_pid(run, answer, frame.length) : -EPROTO;
  }
  return result == 0 ? 0 : turf_fail(run, result, "synchronise with the daemon", NULL);
}

static void end_by_signal(int number) {
  _exit(128 + number);
}

/* The kernel discards what the first process of a PID namespace has no handler for, and a container that waits is to end by
 * what ends others. What was there before comes back after `restore`: a clone of a seed has handlers of its own. */
static void handle_ends(struct sigaction before[], bool restore) {
  static const int ends[ENDING_SIGNALS] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
  struct sigaction action = {.sa_handler = end_by_signal};

  (void)sigemptyset(&action.sa_mask);
  for (int i = 0; i < ENDING_SIGNALS && getpid() == 1; i++)
    (void)sigaction(ends[i], restore ? &before[i] : &action, restore ? NULL : &before[i]);
}

/* Waits for a connection that says START; the others are dropped. Returns the connection or -errno. */
static int accept_start(struct turf_run *run, int listening) {
  for (;;) {
    struct turf_frame frame;
    char nothing[1];

    cleanup_fd int connection = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    if (connection < 0) {
      if (errno == EINTR || errno == ECONNABORTED)
        continue;
      return -errno;
    }
    if (turf_frame_receive(connection, nothing, 0, &frame) < 0)
      continue;
    if (frame.type == 'S' && frame.fd_count > 0)
      run->listener_fd = steal_fd(&frame.fds[0]);
    turf_frame_close_fds(&frame);
    if (frame.type == 'S')
      return steal_fd(&connection);
  }
}

int turf_op_wait_start(struct turf_run *run, struct turf_reader *payload) {
  cleanup_fd int listening = turf_run_take_fd(run, payload);
  struct sigaction before[ENDING_SIGNALS];

  /* first: who is told that the container is created may send a signal at once */
  handle_ends(before, false);
  int result = turf_frame_send(run->plan->sync_fd, 'K', NULL, 0, NULL, 0);
  if (result < 0)
    return turf_fail(run, result, "report readiness", NULL);
  turf_close(&run->plan->sync_fd);
  /* a container may wait for long, and every process of its pid namespace may look: it keeps nothing of the setting up */
  turf_close(&run->root_fd);
  turf_close(&run->proc_fd);
  turf_close(&run->null_fd);
  turf_close(&run->empty_fd);
  result = accept_start(run, listening);
  handle_ends(before, true);
  if (result < 0)
    return turf_fail(run, result, "wait for start", NULL);
  run->start_fd = result;
  return 0;
}

int turf_plan_report(int fd, const struct turf_plan_error *error) {
  unsigned char payload[16 + sizeof error->detail];
  uint32_t length = (uint32_t)strnlen(error->detail, sizeof error->detail);

  turf_put_u32(payload, (uint32_t)error->err);
  turf_put_u32(payload + 4, error->op_index);
  turf_put_u32(payload + 8, error->opcode);
  turf_put_u32(payload + 12, length);
  memcpy(payload + 16, error->detail, length);
  return turf_frame_send(fd, 'E', payload, 16 + length, NULL, 0);
}
