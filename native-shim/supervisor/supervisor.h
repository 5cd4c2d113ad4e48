/* supervisor.h - the child subreaper: starts the daemon and starts it again, launches containers for it, and records how
 * processes end. docs/protocol.md, "Supervisor channel".
 */
#ifndef TURF_SUPERVISOR_SUPERVISOR_H
#define TURF_SUPERVISOR_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/exit-events.h"
#include "supervisor/listeners.h"
#include "supervisor/node.h"
#include "supervisor/outbox.h"
#include "supervisor/record.h"
#include "supervisor/watch.h"

#define TURF_RECENT_ENDS 256

struct turf_supervisor {
  struct turf_node node_command;
  int root, lock, front; /* lock and front: -1 once the daemon has gone for good */
  int epoll, signals;
  int channel; /* to the daemon, -1: none */
  uint64_t open_files; /* soft RLIMIT_NOFILE as turfd was started with; containers get it */
  struct turf_outbox outbox;
  struct turf_watches watches;
  struct turf_exit_events exit_events;
  struct turf_listeners listeners;

  pid_t node; /* 0: not running */
  bool ready; /* the daemon has served once: from then on it is started again */
  bool quitting, stopping, gone;
  int64_t started_at, restart_at, kill_at, sweep_at; /* milliseconds of CLOCK_MONOTONIC, 0: never */
  int64_t back_off;                        /* milliseconds */

  /* A daemon may ask to watch a process whose end it was told a moment before it knew the pid */
  struct turf_end recent[TURF_RECENT_ENDS];
  unsigned recent_count;
};

/* Runs until the daemon has gone for good and no process is left to wait for. Owns the three descriptors. Returns the exit code. */
int turf_supervisor_run(const struct turf_node *node, int root, int lock, int front);

/* Sends a frame to the daemon, if there is one. A daemon that does not read is killed. */
void turf_supervisor_send(struct turf_supervisor *supervisor, uint32_t type, const void *payload, uint32_t length);

/* The daemon does not follow the protocol, or hangs: SIGKILL; its end is handled as any. */
void turf_supervisor_kill_node(struct turf_supervisor *supervisor, const char *reason);

#endif
