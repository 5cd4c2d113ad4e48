/* libFuzzer harness of what the thin client does with the daemon's frames: the input is all that a daemon sends before it goes away.
 * Processes and terminals are stood in for; the first byte says whether a clone succeeds. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/frame.h"
#include "client/child.h"
#include "client/session.h"
#include "client/signals.h"
#include "client/terminal.h"
#include "launch/launch.h"

#define CHILD 0x3fffffff /* above every pid */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int launches;

struct turf_launched turf_launch_run(const struct turf_launch *launch) {
  (void)launch;
  return launches > 0 ? (struct turf_launched){.pid = CHILD, .step = ""} : (struct turf_launched){.pid = -EPERM, .step = "clone"};
}

/* A foreground child has ended as soon as it is looked at: else the session would wait for ever. */
bool turf_child_reap(struct turf_client_child *child) {
  bool now = child->pid == CHILD && child->foreground && !child->ended;

  if (now)
    child->ended = true;
  return now;
}

void turf_child_discard(struct turf_client_child *child) {
  child->pid = 0;
}

int turf_child_replace(struct turf_client_child *child, pid_t pid) {
  if (pid <= 0)
    return -ECHILD;
  child->pid = CHILD;
  return 0;
}

int turf_child_exit_code(const struct turf_client_child *child) {
  return child->wait_status & 0xff;
}

int kill(pid_t pid, int number) {
  if (pid != CHILD || number <= 0)
    abort();
  return 0;
}

int turf_signals_open(void) {
  return dup(STDERR_FILENO);
}

int turf_signals_next(int signals) {
  (void)signals;
  return 0;
}

void turf_signals_deliver(int number) {
  (void)number;
}

void turf_terminal_start(struct turf_terminal *terminal, int console, bool stdin_is_tty) {
  (void)stdin_is_tty;
  turf_close(&terminal->console);
  (void)close(console);
}

void turf_terminal_receive_master(struct turf_terminal *terminal) {
  (void)terminal;
}
void turf_terminal_resize(const struct turf_terminal *terminal) {
  (void)terminal;
}
void turf_terminal_resume(struct turf_terminal *terminal) {
  (void)terminal;
}
void turf_terminal_read_input(struct turf_terminal *terminal) {
  (void)terminal;
}
void turf_terminal_write_input(struct turf_terminal *terminal) {
  (void)terminal;
}
void turf_terminal_copy_output(struct turf_terminal *terminal) {
  (void)terminal;
}
void turf_terminal_finish(struct turf_terminal *terminal) {
  (void)terminal;
}

/* Launch requests carry descriptors: any file will do where nothing is cloned. */
static void send_input(int socket, const uint8_t *data, size_t size) {
  static int any = -1;
  int fds[8];

  /* not the socket itself: it would keep the connection open */
  if (any < 0)
    any = memfd_create("any", MFD_CLOEXEC);
  for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
    fds[i] = any;
  if (size >= TURF_FRAME_HEADER && turf_get_u32(data) <= size - TURF_FRAME_HEADER) {
    uint32_t length = turf_get_u32(data);
    if (turf_frame_send(socket, turf_get_u32(data + 4), data + TURF_FRAME_HEADER, length, fds, 8) < 0)
      abort();
    data += TURF_FRAME_HEADER + length;
    size -= TURF_FRAME_HEADER + length;
  }
  if (size > 0 && send(socket, data, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  int ends[2];

  if (size < 1 || size > 65536)
    return 0;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
    abort();
  launches = data[0] & 1;
  send_input(ends[0], data + 1, size - 1);
  (void)shutdown(ends[0], SHUT_WR);
  int exit_code = turf_session_run(ends[1], 0);
  if (exit_code < 0 || exit_code > 255)
    abort();
  (void)close(ends[0]);
  return 0;
}
