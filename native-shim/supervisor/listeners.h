/* listeners.h - listening sockets that outlive the daemon: kept under a name, never accepted from, watched for their next connection
 * while nobody serves them. docs/protocol.md, "Supervisor channel".
 */
#ifndef TURF_SUPERVISOR_LISTENERS_H
#define TURF_SUPERVISOR_LISTENERS_H

#include <stdint.h>

struct turf_listener {
  struct turf_listener *next;
  int fd;
  uint32_t length;
  char name[]; /* `length` bytes, no NUL */
};

struct turf_listeners {
  struct turf_listener *first;
  int epoll; /* of these sockets alone */
};

/* Keeps a socket under a name, in place of one that has it. Takes over `fd`. 0 or -ENOMEM. */
int turf_listeners_keep(struct turf_listeners *listeners, const void *name, uint32_t length, int fd);

/* Closes the socket of that name, if there is one. */
void turf_listeners_release(struct turf_listeners *listeners, const void *name, uint32_t length);

/* Closes all of them. */
void turf_listeners_clear(struct turf_listeners *listeners);

/* The socket of that name, which stays here; -1: none. */
int turf_listeners_find(const struct turf_listeners *listeners, const void *name, uint32_t length);

/* Has the set become readable, once, as soon as a connection waits on the socket of that name. 0, -ENOENT or -errno. */
int turf_listeners_watch(const struct turf_listeners *listeners, const void *name, uint32_t length);

/* One whose connection waits, which is not watched any more; NULL: none. */
const struct turf_listener *turf_listeners_next(const struct turf_listeners *listeners);

#endif
