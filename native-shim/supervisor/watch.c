#include "supervisor/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "supervisor/process.h"

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
  struct turf_process_stat stat;
  watch->foreign = turf_process_stat(pid, &stat) == 0 && stat.parent != getpid();
  watch->wait_status = -1;
  watch->pid = pid;
  watch->start_time = start_time;
  watch->pidfd = steal_fd(&owned);
  *link = steal_pointer(&watch);
  watches->count++;
  watches->additions++;
  watches->foreign += (*link)->foreign;
  return 0;
}

void turf_watch_set_status(struct turf_watches *watches, pid_t pid, int wait_status) {
  struct turf_watch *watch = watches->buckets[(unsigned)pid % TURF_WATCH_BUCKETS];

  for (; watch != NULL; watch = watch->next)
    if (watch->pid == pid)
      watch->wait_status = wait_status;
}

void turf_watch_remove(struct turf_watches *watches, pid_t pid, uint64_t start_time) {
  struct turf_watch **link = find(watches, pid, start_time);
  struct turf_watch *watch = *link;

  if (watch == NULL)
    return;
  *link = watch->next;
  watches->foreign -= watch->foreign;
  /* closing alone would not do where another process holds the same open file */
  (void)epoll_ctl(watches->epoll, EPOLL_CTL_DEL, watch->pidfd, NULL);
  turf_close(&watch->pidfd);
  free(watch);
  watches->count--;
  watches->removals++;
}
