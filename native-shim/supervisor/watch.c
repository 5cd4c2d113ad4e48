#include "supervisor/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/cleanup.h"

/* The link that points to the entry, or to where it would be. */
static struct turf_watch **find(struct turf_watches *watches, pid_t pid, uint64_t start_time) {
  struct turf_watch **link = &watches->buckets[(unsigned)pid % TURF_WATCH_BUCKETS];

  while (*link != NULL && ((*link)->pid != pid || (*link)->start_time != start_time))
    link = &(*link)->next;
  return link;
}

int turf_watch_add(struct turf_watches *watches, pid_t pid, uint64_t start_time, int pidfd) {
  cleanup_fd int owned = pidfd;
  struct turf_watch **link = find(watches, pid, start_time);

  if (*link != NULL)
    return 0;
  cleanup_free struct turf_watch *watch = calloc(1, sizeof *watch);
  if (watch == NULL)
    return -ENOMEM;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = watch};
  if (epoll_ctl(watches->epoll, EPOLL_CTL_ADD, owned, &event) < 0)
    return -errno;
  watch->pid = pid;
  watch->start_time = start_time;
  watch->pidfd = steal_fd(&owned);
  *link = steal_pointer(&watch);
  watches->count++;
  return 0;
}

void turf_watch_remove(struct turf_watches *watches, pid_t pid, uint64_t start_time) {
  struct turf_watch **link = find(watches, pid, start_time);
  struct turf_watch *watch = *link;

  if (watch == NULL)
    return;
  *link = watch->next;
  /* closing alone would not do where another process holds the same open file */
  (void)epoll_ctl(watches->epoll, EPOLL_CTL_DEL, watch->pidfd, NULL);
  turf_close(&watch->pidfd);
  free(watch);
  watches->count--;
  watches->removals++;
}
