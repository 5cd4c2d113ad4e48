/* time.c - a time namespace whose clocks are set before anybody is in it (time_namespaces(7)). */
#include <errno.h>
#include <sched.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "plan/run.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

/* unshare(2) makes the namespace for children only, and freezes its offsets at the first one: so they are written now, and then
 * the process itself goes in. */
int turf_op_time_namespace(struct turf_run *run, struct turf_reader *payload) {
  const char *offsets = turf_read_str(payload);

  if (unshare(CLONE_NEWTIME) < 0)
    return turf_fail(run, -errno, "unshare the time namespace", NULL);
  int result = turf_run_write_self(run, "timens_offsets", offsets);
  if (result < 0)
    return turf_fail(run, result, "write time offsets ", offsets, NULL);
  cleanup_fd int namespace = turf_run_open_self_link(run, "ns", "time_for_children");
  if (namespace < 0)
    return turf_fail(run, namespace, "open the time namespace", NULL);
  return setns(namespace, CLONE_NEWTIME) == 0 ? 0 : turf_fail(run, -errno, "enter the time namespace", NULL);
}
