/* libFuzzer harness of what the supervisor does with the daemon's frames: the input is all that a daemon sends before it goes away.
 * Clones and the daemon's process are stood in for. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/frame.h"
#include "fuzz/send_input.h"
#include "launch/launch.h"
#include "supervisor/requests.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct turf_launched turf_launch_run(const struct turf_launch *launch) {
  return (struct turf_launched){.pid = launch->flags == 0 ? 1 : -EPERM, .step = "clone"};
}

void turf_supervisor_send(struct turf_supervisor *supervisor, uint32_t type, const void *payload, uint32_t length) {
  (void)supervisor;
  if (type != 'P' || payload == NULL || length < 12 || length > TURF_LAUNCH_ANSWER)
    abort();
}

void turf_supervisor_kill_node(struct turf_supervisor *supervisor, const char *reason) {
  (void)supervisor;
  if (reason == NULL)
    abort();
}

int turf_watch_add(struct turf_watches *watches, pid_t pid, uint64_t start_time, int pidfd) {
  (void)watches, (void)pid, (void)start_time;
  return close(pidfd) < 0 ? -errno : 0;
}

void turf_outbox_clear(struct turf_outbox *outbox) {
  outbox->length = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static int epoll = -1, any = -1;
  struct turf_supervisor supervisor = {.front = -1};
  int ends[2];

  if (size < 1 || size > 65536)
    return 0;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
    abort();
  if (epoll < 0)
    epoll = epoll_create1(EPOLL_CLOEXEC);
  if (any < 0)
    any = memfd_create("any", MFD_CLOEXEC);
  supervisor.listeners.epoll = epoll;
  supervisor.channel = ends[1];
  send_input(ends[0], data + 1, size - 1, any, data[0] & 7);
  (void)close(ends[0]);
  if ((data[0] & 8) != 0)
    turf_supervisor_drain(&supervisor);
  while (supervisor.channel >= 0)
    turf_supervisor_read(&supervisor);
  turf_listeners_clear(&supervisor.listeners);
  return 0;
}
