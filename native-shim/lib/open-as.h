/* open-as.h - opens a file whose later use the kernel judges by the opener's credentials.
 *
 * Writing a pid to a v1 cgroup's `tasks` is checked against the effective uid of whoever opened the file: a descriptor opened by
 * root and given to an untrusted process would let it move any process of the host. One opened as the process's
 * own uid moves processes of that uid only.
 */
#ifndef TURF_LIB_OPEN_AS_H
#define TURF_LIB_OPEN_AS_H

#include <sys/types.h>

#define TURF_OPEN_AS_EXPORT __attribute__((visibility("default")))

/* Opens `path` with `flags` (O_CLOEXEC is added) as effective uid `euid`; the file's mode bits do not matter, because
 * CAP_DAC_OVERRIDE is kept for the moment. Only the calling thread's credentials change, and only during the call. Needs
 * a thread that is root. Returns the descriptor or -errno; -ENOTRECOVERABLE when the credentials could not be restored: the process
 * must end. */
TURF_OPEN_AS_EXPORT int turf_open_as(uid_t euid, const char *path, int flags);

#endif
