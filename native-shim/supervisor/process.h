/* process.h - what the kernel tells about a process that has ended, or is about to be reaped. */
#ifndef TURF_SUPERVISOR_PROCESS_H
#define TURF_SUPERVISOR_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

struct turf_process_stat {
  char state;          /* field 3 of /proc/PID/stat */
  pid_t parent;        /* field 4 */
  uint64_t start_time; /* field 22 */
  int exit_code;       /* field 52 (Linux 3.5), as waitpid(2) gives it; only a zombie's means something */
};

/* Reads /proc/PID/stat. Returns 0 or -errno; -ESRCH where the process is gone. */
int turf_process_stat(pid_t pid, struct turf_process_stat *stat);

#endif
