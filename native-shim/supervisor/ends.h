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

/* Reaps all children that have ended: the kernel goes through all there are, once and once for each. */
void turf_supervisor_sweep(struct turf_supervisor *supervisor, struct turf_node_end *node);

/* Reaps that child, if it is one and has ended: the kernel finds it by its pid at once. */
bool turf_supervisor_reap_child(struct turf_supervisor *supervisor, pid_t pid, struct turf_node_end *node);

/* The watched process has ended and is no child of this one. Frees `watch`. */
void turf_supervisor_end_watch(struct turf_supervisor *supervisor, const struct turf_watch *watch);

/* True where a child is left, running or not. */
bool turf_supervisor_has_children(void);

#endif
