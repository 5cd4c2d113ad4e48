/* netlink.c - sockets of the routing family, also in network namespaces that the daemon itself stays out of. */
#include "lib/libturf.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE_SECONDS 5

struct request {
  int namespace;
  int result;
};

static int open_socket(void)
{
  struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
  int strict = 1;
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0)
    return -errno;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0 ||
      setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &strict, sizeof strict) < 0) {
    int r = -errno;
    close(fd);
    return r;
  }
  return fd;
}

/* setns changes this thread only, and the thread ends here; a socket stays in the namespace that it was made in. */
static void *open_in(void *argument)
{
  struct request *request = argument;
  request->result = setns(request->namespace, CLONE_NEWNET) < 0 ? -errno : open_socket();
  return NULL;
}

int turf_route_socket(int network_namespace)
{
  if (network_namespace < 0)
    return open_socket();
  struct request request = { .namespace = network_namespace, .result = -EIO };
  sigset_t all, before;
  pthread_t thread;
  sigfillset(&all);
  int r = pthread_sigmask(SIG_SETMASK, &all, &before);
  if (r != 0)
    return -r;
  r = pthread_create(&thread, NULL, open_in, &request);
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (r != 0)
    return -r;
  r = pthread_join(thread, NULL);
  return r != 0 ? -r : request.result;
}
