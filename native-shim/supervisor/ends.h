/* ends.h - how processes end: children by waitid(2), others by their pidfd. Every end is recorded, then told. */
#ifndef TURF_SUPERVISOR_ENDS_H
#define TURF_SUPERVISOR_ENDS_H

#include <stdbool.h>

#include "supervisor/supervisor.h"

/* How the daemon ended, if it did. */
struct turf_node_end {
  bool ended;
  int wait_status;
};

/* Reaps all children that have ended; `first`, which is known to have, before the others: the kernel finds a child by its pid at once, any other by going
 * through all. */
void turf_supervisor_reap(struct turf_supervisor *supervisor, pid_t first, struct turf_node_end *node);

/* Reaps that child, if it is one and has ended. */
bool turf_supervisor_reap_child(struct turf_supervisor *supervisor, pid_t pid, struct turf_node_end *node);

/* The watched process has ended and is no child of this one. Frees `watch`. */
void turf_supervisor_end_watch(struct turf_supervisor *supervisor, const struct turf_watch *watch);

/* True where a child is left, running or not. */
bool turf_supervisor_has_children(void);

#endif
