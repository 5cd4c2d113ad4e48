/* child.h - what a cloned process does to become turf-init. Async-signal-safe, no allocation. */
#ifndef TURF_LAUNCH_CHILD_H
#define TURF_LAUNCH_CHILD_H

#include "launch/launch.h"

enum turf_launch_step {
  TURF_STEP_NONE = 0,
  TURF_STEP_PRESERVE,
  TURF_STEP_CLONE,
  TURF_STEP_JOIN_USER_NS,
  TURF_STEP_JOIN_PID_NS,
  TURF_STEP_SETSID,
  TURF_STEP_CAPABILITIES,
  TURF_STEP_SIGNALS,
  TURF_STEP_DESCRIPTORS,
  TURF_STEP_LIMIT,
  TURF_STEP_EXEC,
};

/* Sets session, signals, stdio and descriptors, and executes turf-init with an empty environment. Returns only on
 * failure: -errno, and *step is what failed. */
int turf_launch_become_init(const struct turf_launch *launch, enum turf_launch_step *step);

#endif
