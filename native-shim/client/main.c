/* turf - sends what was typed to the daemon and is its hands here: output, input, signals, and the clone of the container, which
 * has to descend from the caller. It knows no verb; the grammar is cli/'s. Protocol: docs/protocol.md, "Thin client channel".
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "client/autostart.h"
#include "client/connect.h"
#include "client/request.h"
#include "client/root.h"
#include "client/session.h"

/* Which of the descriptors 0-2 are terminals. A closed one is replaced by /dev/null: else the next one opened, the
 * connection to the daemon perhaps, would become a container's stdio. */
static uint32_t inspect_stdio(void) {
  struct termios modes;
  uint32_t bits = 0;

  for (int fd = 0; fd < 3; fd++) {
    if (tcgetattr(fd, &modes) == 0)
      bits |= 1u << fd;
    else if (errno == EBADF)
      (void)open("/dev/null", O_RDWR); /* not close-on-exec: it is stdio, the lowest free number is `fd` */
  }
  return bits;
}

static int fail(const char *problem) {
  (void)fprintf(stderr, "turf: %s\n", problem);
  return 1;
}

/* Starts a daemon where `fd` says that none listens. */
static int start_daemon(int fd, const char *root, char *problem, size_t size) {
  if (fd != -ENOENT && fd != -ECONNREFUSED) {
    (void)snprintf(problem, size, "cannot connect to %s/cli.sock: %s", root, strerror(-fd));
    return fd;
  }
  const char *forbidden = getenv("TURF_NO_AUTOSTART");
  if (forbidden != NULL && strcmp(forbidden, "1") == 0) {
    (void)snprintf(problem, size, "no daemon runs on %s; start one with: turfd --root %s", root, root);
    return fd;
  }
  return turf_client_autostart(root, problem, size);
}

/* Not inlined: a client that finds its daemon does not pay for the pages of this frame. */
static __attribute__((noinline)) int reach_otherwise(int fd, const char *root) {
  char problem[3 * PATH_MAX] = "";

  fd = start_daemon(fd, root, problem, sizeof problem);
  if (fd < 0)
    (void)fail(problem);
  return fd;
}

int main(int argc, char *argv[]) {
  static char root[PATH_MAX];
  uint32_t tty_bits = inspect_stdio();

  int result = turf_client_root(argc, argv, root, sizeof root);
  if (result < 0) {
    (void)fprintf(stderr, "turf: root directory: %s\n", strerror(-result));
    return 1;
  }
  int socket = turf_client_connect(root);
  if (socket < 0)
    socket = reach_otherwise(socket, root);
  if (socket < 0)
    return 1;
  /* a daemon that refuses the request may still have said why: its answer is read in any case */
  result = turf_client_send_request(socket, argc, argv, environ, tty_bits);
  if (result == -E2BIG)
    return fail("the command line is longer than 1 MiB");
  return turf_session_run(socket, tty_bits);
}
