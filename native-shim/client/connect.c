#include "client/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"

int turf_client_connect(const char *root) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  cleanup_fd int directory = -1;

  int length = snprintf(address.sun_path, sizeof address.sun_path, "%s/cli.sock", root);
  if (length < 0 || (size_t)length >= sizeof address.sun_path) {
    directory = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
      return -errno;
    (void)snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/cli.sock", directory);
  }

  cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -errno;
  if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
    return -errno;
  return steal_fd(&fd);
}
