#include "supervisor/listeners.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"

/* The link that points to the entry, or to the end. */
static struct turf_listener **find(struct turf_listener **link, const void *name, uint32_t length) {
  while (*link != NULL && ((*link)->length != length || memcmp((*link)->name, name, length) != 0))
    link = &(*link)->next;
  return link;
}

static void remove_entry(const struct turf_listeners *listeners, struct turf_listener **link) {
  struct turf_listener *entry = *link;

  *link = entry->next;
  /* closing alone would not do where a worker holds the same open file */
  (void)epoll_ctl(listeners->epoll, EPOLL_CTL_DEL, entry->fd, NULL);
  turf_close(&entry->fd);
  free(entry);
}

int turf_listeners_keep(struct turf_listeners *listeners, const void *name, uint32_t length, int fd) {
  cleanup_fd int owned = fd;

  turf_listeners_release(listeners, name, length);
  struct turf_listener *entry = malloc(sizeof *entry + length);
  if (entry == NULL)
    return -ENOMEM;
  entry->length = length;
  memcpy(entry->name, name, length);
  entry->fd = steal_fd(&owned);
  entry->next = listeners->first;
  listeners->first = entry;
  return 0;
}

void turf_listeners_release(struct turf_listeners *listeners, const void *name, uint32_t length) {
  struct turf_listener **link = find(&listeners->first, name, length);

  if (*link != NULL)
    remove_entry(listeners, link);
}

void turf_listeners_clear(struct turf_listeners *listeners) {
  while (listeners->first != NULL)
    remove_entry(listeners, &listeners->first);
}

int turf_listeners_find(const struct turf_listeners *listeners, const void *name, uint32_t length) {
  struct turf_listener *first = listeners->first;
  struct turf_listener **link = find(&first, name, length);

  return *link == NULL ? -1 : (*link)->fd;
}

int turf_listeners_watch(const struct turf_listeners *listeners, const void *name, uint32_t length) {
  struct turf_listener *first = listeners->first;
  struct turf_listener *entry = *find(&first, name, length);

  if (entry == NULL)
    return -ENOENT;
  /* level-triggered: a connection that waits already counts */
  struct epoll_event next = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = entry};
  /* not before it is watched: a hang-up is told whatever is asked for */
  if (epoll_ctl(listeners->epoll, EPOLL_CTL_MOD, entry->fd, &next) == 0)
    return 0;
  return errno != ENOENT || epoll_ctl(listeners->epoll, EPOLL_CTL_ADD, entry->fd, &next) < 0 ? -errno : 0;
}

const struct turf_listener *turf_listeners_next(const struct turf_listeners *listeners) {
  struct epoll_event event;

  return epoll_wait(listeners->epoll, &event, 1, 0) == 1 ? event.data.ptr : NULL;
}
