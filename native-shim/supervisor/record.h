/* record.h - <root>/exits/<pid>-<start_time>: how a process ended, for a daemon that was not there to hear it. */
#ifndef TURF_SUPERVISOR_RECORD_H
#define TURF_SUPERVISOR_RECORD_H

#include <stdint.h>
#include <sys/types.h>

struct turf_end {
  pid_t pid;
  uint64_t start_time; /* field 22 of /proc/PID/stat */
  int wait_status;     /* -1: unknown */
};

/* Writes the record, whole or not at all. An unknown status never replaces a known one. Returns 0 or -errno. */
int turf_record_write(int root_fd, const struct turf_end *end);

/* Looks up the status that another supervisor recorded. Returns it, or -1. */
int turf_record_find(int root_fd, pid_t pid, uint64_t start_time);

#endif
