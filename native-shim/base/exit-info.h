/* exit-info.h - how a process ended that is somebody else's child. */
#ifndef TURF_BASE_EXIT_INFO_H
#define TURF_BASE_EXIT_INFO_H

#include <stdbool.h>

/* PIDFD_GET_INFO with PIDFD_INFO_EXIT (Linux 6.15): the wait status of a process that was reaped by whoever was its parent. */
bool turf_exit_info(int pidfd, int *wait_status);

#endif
