/* park_listener.c - where a seed reaches itself, or a clone of its own. */
#include "lib/park.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"

int turf_seed_warm_listener(char *name, uint32_t size) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  unsigned long random[2];

  if (fd < 0)
    return -errno;
  if (size < sizeof address.sun_path)
    return -EINVAL;
  if (getrandom(random, sizeof random, 0) != sizeof random)
    return -EIO;
  /* the whole of sun_path: older libuv connects to an abstract name with its padding, newer without */
  (void)snprintf(name, sizeof address.sun_path, "aworker-warm-%016lx%016lx%062d", random[0], random[1], 0);
  memcpy(address.sun_path + 1, name, sizeof address.sun_path - 1);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 16) < 0)
    return -errno;
  return steal_fd(&fd);
}
