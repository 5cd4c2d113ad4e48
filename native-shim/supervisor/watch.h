/* watch.h - the processes whose end the daemon asked to be told, in an epoll set by pidfd. */
#ifndef TURF_SUPERVISOR_WATCH_H
#define TURF_SUPERVISOR_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TURF_WATCH_BUCKETS 1024

struct turf_watch {
  struct turf_watch *next; /* in its bucket */
  pid_t pid;
  uint64_t start_time;
  int pidfd;
  bool foreign;    /* no child of this process: whoever reaps it gets the status */
  int wait_status; /* as an exit event said, -1: none came */
};

struct turf_watches {
  struct turf_watch *buckets[TURF_WATCH_BUCKETS];
  size_t count, foreign;
  size_t additions; /* ever */
  size_t removals; /* ever: tells a caller whether an entry it knows may be gone */
  int epoll;
};

/* Adds a process; one that is watched already is left as it is. Takes over `pidfd`. In the epoll set data.ptr is the
 * struct turf_watch. Returns 0, -ENOMEM or -errno of epoll_ctl(2). */
int turf_watch_add(struct turf_watches *watches, pid_t pid, uint64_t start_time, int pidfd);

/* Keeps how a process ended, if it is watched. */
void turf_watch_set_status(struct turf_watches *watches, pid_t pid, int wait_status);

/* Forgets a process, if it is watched. */
void turf_watch_remove(struct turf_watches *watches, pid_t pid, uint64_t start_time);

#endif
