/* child.h - the one container process that a client has launched. */
#ifndef TURF_CLIENT_CHILD_H
#define TURF_CLIENT_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct turf_client_child {
  pid_t pid; /* 0: none */
  uint32_t request_id;
  bool foreground; /* the daemon sent F: the client waits for its end */
  bool ended;      /* reaped; wait_status is valid */
  int wait_status;
};

/* Reaps the foreground child if it has ended. True once: in the call that reaped it. */
bool turf_child_reap(struct turf_client_child *child);

/* The child has ended, leaving the rest to `pid`, another child of this process: reaps it and takes that one. 0, or
 * -ECHILD where `pid` is no child. */
int turf_child_replace(struct turf_client_child *child, pid_t pid);

/* Kills and reaps a child that nobody took over. */
void turf_child_discard(struct turf_client_child *child);

/* The exit status that a shell would show: the code, or 128 + signal number. */
int turf_child_exit_code(const struct turf_client_child *child);

#endif
