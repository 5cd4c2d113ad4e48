/* socket.c - what Node's net module does not offer: descriptors over sockets, listening sockets to hand over. */
#include "lib/libturf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_FDS 253
#define BACKLOG 4096
#define SEND_PATIENCE_MS 5000

int turf_socketpair(int pair[2])
{
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ? -errno : 0;
}

int turf_pipe(int ends[2])
{
  return pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
}

static int wait_writable(int fd)
{
  struct pollfd p = { .fd = fd, .events = POLLOUT };
  int n = poll(&p, 1, SEND_PATIENCE_MS);
  if (n < 0)
    return errno == EINTR ? 0 : -errno;
  return n == 0 ? -ETIMEDOUT : 0;
}

int turf_send(int fd, const uint8_t *data, size_t length, const int *fds, int count)
{
  if (count < 0 || count > MAX_FDS || length == 0)
    return -EINVAL;
  union {
    char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
    struct cmsghdr align;
  } control;
  struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = length };
  struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
  if (count > 0) {
    size_t size = (size_t)count * sizeof(int);
    memset(&control, 0, sizeof control);
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(size);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(header), fds, size);
  }
  while (iov.iov_len > 0) {
    ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EINTR)
        continue;
      if (errno != EAGAIN)
        return -errno;
      int r = wait_writable(fd);
      if (r < 0)
        return r;
      continue;
    }
    iov.iov_base = (uint8_t *)iov.iov_base + n;
    iov.iov_len -= (size_t)n;
    /* The descriptors went with the first byte. */
    message.msg_control = NULL;
    message.msg_controllen = 0;
  }
  return 0;
}

int turf_receive(int fd, uint8_t *data, size_t length, int *fds, int capacity, int *count)
{
  union {
    char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
    struct cmsghdr align;
  } control;
  struct iovec iov = { .iov_base = data, .iov_len = length };
  struct msghdr message = {
    .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes
  };
  *count = 0;
  ssize_t n;
  do
    n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return -errno;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
      continue;
    size_t received = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < received; i++) {
      int one;
      memcpy(&one, CMSG_DATA(header) + i * sizeof(int), sizeof one);
      if (*count < capacity)
        fds[(*count)++] = one;
      else
        close(one);
    }
  }
  return (int)n;
}

int turf_peer_credentials(int fd, uint32_t credentials[3])
{
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
    return -errno;
  credentials[0] = (uint32_t)peer.pid;
  credentials[1] = peer.uid;
  credentials[2] = peer.gid;
  return 0;
}

/* sun_path holds 107 bytes; a longer path is reached through a descriptor of its directory. Returns that descriptor, or -1
 * where none was needed, or -errno. */
static int unix_address(const char *path, struct sockaddr_un *address, int *directory)
{
  *directory = -1;
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  size_t length = strlen(path);
  if (length < sizeof address->sun_path) {
    memcpy(address->sun_path, path, length + 1);
    return 0;
  }
  const char *slash = strrchr(path, '/');
  if (slash == NULL || length >= 4096)
    return -ENAMETOOLONG;
  char parent[4096];
  memcpy(parent, path, (size_t)(slash - path));
  parent[slash - path] = 0;
  *directory = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (*directory < 0)
    return -errno;
  int n = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", *directory, slash + 1);
  return n < 0 || (size_t)n >= sizeof address->sun_path ? -ENAMETOOLONG : 0;
}

static int bind_unix(int fd, const char *path, const struct sockaddr_un *address, uint32_t mode)
{
  struct stat st;
  if (lstat(path, &st) == 0) {
    if (!S_ISSOCK(st.st_mode))
      return -EEXIST;
    if (unlink(path) < 0)
      return -errno;
  }
  if (bind(fd, (const struct sockaddr *)address, sizeof *address) < 0)
    return -errno;
  if (chmod(path, mode) < 0 || listen(fd, BACKLOG) < 0)
    return -errno;
  return fd;
}

int turf_listen_unix(const char *path, uint32_t mode)
{
  struct sockaddr_un address;
  int directory;
  int r = unix_address(path, &address, &directory);
  int fd = -1;
  if (r == 0) {
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    r = fd < 0 ? -errno : bind_unix(fd, path, &address, mode);
  }
  if (directory >= 0)
    close(directory);
  if (r < 0 && fd >= 0)
    close(fd);
  return r;
}

int turf_connect_unix(const char *path)
{
  struct sockaddr_un address;
  int directory;
  int r = unix_address(path, &address, &directory);
  int fd = -1;
  if (r == 0) {
    /* A listener that has stopped accepting must not hold up the whole daemon: a full backlog is EAGAIN. */
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool connected = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    r = connected && fcntl(fd, F_SETFL, 0) == 0 ? fd : -errno;
  }
  if (directory >= 0)
    close(directory);
  if (r < 0 && fd >= 0)
    close(fd);
  return r;
}

static socklen_t tcp_address(const char *text, int port, struct sockaddr_storage *address)
{
  memset(address, 0, sizeof *address);
  struct sockaddr_in *v4 = (struct sockaddr_in *)address;
  if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)port);
    return sizeof *v4;
  }
  memset(address, 0, sizeof *address);
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
  if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)port);
    return sizeof *v6;
  }
  return 0;
}

int turf_listen_tcp(const char *text, int port, int *bound_port)
{
  struct sockaddr_storage address;
  if (port < 0 || port > 65535)
    return -EINVAL;
  socklen_t size = tcp_address(text, port, &address);
  if (size == 0)
    return -EINVAL;
  int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -errno;
  int one = 1;
  int r = 0;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 ||
      listen(fd, BACKLOG) < 0 || getsockname(fd, (struct sockaddr *)&address, &size) < 0)
    r = -errno;
  if (r < 0) {
    close(fd);
    return r;
  }
  *bound_port = ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
                                                   : ((struct sockaddr_in6 *)&address)->sin6_port);
  return fd;
}
