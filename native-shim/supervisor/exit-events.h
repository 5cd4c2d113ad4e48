/* exit-events.h - wait statuses of processes that others reap, from the kernel's process events connector: where Linux is older
 * than 6.15, and PIDFD_GET_INFO forgets them. */
#ifndef TURF_SUPERVISOR_EXIT_EVENTS_H
#define TURF_SUPERVISOR_EXIT_EVENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "supervisor/watch.h"

struct turf_exit_events {
  int socket;     /* -1: not listening */
  size_t changes; /* of the watches, when the filter was made */
  bool useless;   /* the kernel remembers exit statuses, or does not let us listen */
};

/* Decides whether this kernel needs it. Opens nothing. */
struct turf_exit_events turf_exit_events_new(void);

/* Listens to the ends of the watched processes that are not children of this one, or to nothing where there are none. The socket
 * is in the epoll set of the watches, data.ptr being `events`. */
void turf_exit_events_follow(struct turf_exit_events *events, const struct turf_watches *watches);

/* Takes the events that are waiting; each puts its status into the watch of its process. */
void turf_exit_events_read(struct turf_exit_events *events, struct turf_watches *watches);

#endif
