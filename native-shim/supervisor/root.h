/* root.h - the state directory of this daemon, and the lock that makes it the only one there. */
#ifndef TURF_SUPERVISOR_ROOT_H
#define TURF_SUPERVISOR_ROOT_H

#include <stddef.h>
#include <sys/types.h>

/* Makes the directory (0700) and its parents (0755) and returns an O_PATH descriptor, or -errno. */
int turf_root_open(const char *root);

/* Takes <root>/turfd.lock (flock(2)) and writes this process's pid into it. Returns the descriptor, or -errno: -EWOULDBLOCK where
 * another daemon has it, with *owner its pid (0: unknown). The lock belongs to the open file description: a forked process
 * shares it, and LOCK_UN in one of them releases it for all. */
int turf_root_lock(int root_fd, pid_t *owner);

#endif
