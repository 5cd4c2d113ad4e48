#include "supervisor/ends.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/exit-info.h"
#include "base/frame.h"
#include "supervisor/process.h"

static void report(struct turf_supervisor *supervisor, const struct turf_end *end) {
  unsigned char payload[16];
  int result = turf_record_write(supervisor->root, end);

  if (result < 0)
    (void)fprintf(stderr, "turfd: cannot record the end of process %d: %s\n", (int)end->pid, strerror(-result));
  supervisor->recent[supervisor->recent_count++ % TURF_RECENT_ENDS] = *end;
  turf_put_u32(payload, (uint32_t)end->pid);
  turf_put_u64(payload + 4, end->start_time);
  turf_put_u32(payload + 12, (uint32_t)end->wait_status);
  turf_supervisor_send(supervisor, 'D', payload, sizeof payload);
}

/* Reaps one child that has ended, if there is one of that kind. */
static bool reap_one(struct turf_supervisor *supervisor, idtype_t type, pid_t pid, struct turf_node_end *node) {
  siginfo_t info = {0};
  struct turf_process_stat stat;
  struct turf_end end;

  /* WNOWAIT: while it is a zombie its start time can be read, and its pid belongs to nobody else */
  if (waitid(type, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
    return false;
  end.pid = info.si_pid;
  end.start_time = turf_process_stat(end.pid, &stat) == 0 ? stat.start_time : 0;
  if (waitpid(end.pid, &end.wait_status, 0) != end.pid)
    return false;
  if (end.pid == supervisor->node) {
    *node = (struct turf_node_end){.ended = true, .wait_status = end.wait_status};
    return true;
  }
  turf_watch_remove(&supervisor->watches, end.pid, end.start_time);
  report(supervisor, &end);
  return true;
}

void turf_supervisor_sweep(struct turf_supervisor *supervisor, struct turf_node_end *node) {
  while (reap_one(supervisor, P_ALL, 0, node))
    ;
}

bool turf_supervisor_reap_child(struct turf_supervisor *supervisor, pid_t pid, struct turf_node_end *node) {
  return reap_one(supervisor, P_PID, pid, node);
}

static int recent_status(const struct turf_supervisor *supervisor, pid_t pid, uint64_t start_time) {
  for (unsigned i = 0; i < TURF_RECENT_ENDS; i++)
    if (supervisor->recent[i].pid == pid && supervisor->recent[i].start_time == start_time)
      return supervisor->recent[i].wait_status;
  return -1;
}

/* The parent may have reaped it (then Linux 6.15 remembers) or not yet (then /proc shows a zombie); an older supervisor that
 * was the parent has left a record. */
static int find_status(const struct turf_supervisor *supervisor, const struct turf_watch *watch) {
  struct turf_process_stat stat;
  int status = recent_status(supervisor, watch->pid, watch->start_time);

  if (status >= 0)
    return status;
  bool zombie = turf_process_stat(watch->pid, &stat) == 0 && stat.start_time == watch->start_time && stat.state == 'Z';
  if (zombie)
    status = stat.exit_code;
  if (status < 0)
    status = watch->wait_status;
  /* asked second: the process may have been reaped in between, never the other way round */
  if (status < 0 && !turf_exit_info(watch->pidfd, &status))
    status = turf_record_find(supervisor->root, watch->pid, watch->start_time);
  return status;
}

void turf_supervisor_end_watch(struct turf_supervisor *supervisor, const struct turf_watch *watch) {
  turf_exit_events_read(&supervisor->exit_events, &supervisor->watches);
  struct turf_end end = {
      .pid = watch->pid, .start_time = watch->start_time, .wait_status = find_status(supervisor, watch)};

  turf_watch_remove(&supervisor->watches, end.pid, end.start_time);
  report(supervisor, &end);
}

bool turf_supervisor_has_children(void) {
  siginfo_t info;

  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}
