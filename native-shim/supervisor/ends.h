/* ends.h - how processes end: children by waitid(2), others by their pidfd. Every end is recorded, then told. */
#ifndef TURF_SUPERVISOR_ENDS_H
#define TURF_SUPERVISOR_ENDS_H

#include <stdbool.h>

#include "supervisor/supervisor.h"

/* Reaps all children that have ended. True where the daemon was among them, with its status in *node_status. */
bool turf_supervisor_reap(struct turf_supervisor *supervisor, int *node_status);

/* The watched process has ended and is no child of this one. Frees `watch`. */
void turf_supervisor_end_watch(struct turf_supervisor *supervisor, const struct turf_watch *watch);

/* True where a child is left, running or not. */
bool turf_supervisor_has_children(void);

#endif
