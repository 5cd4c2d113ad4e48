/* cleanup.h - ownership made visible: a local that owns something carries a cleanup attribute and starts empty (-1, NULL).
 *
 *   cleanup_fd int fd = openat(...);      closed at the end of the scope
 *   return steal_fd(&fd);                 ownership goes to the caller
 *
 * The helpers keep errno. Everything but cleanup_free is async-signal-safe.
 */
#ifndef TURF_BASE_CLEANUP_H
#define TURF_BASE_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Closes *fd if it is open and sets it to -1. Never retried: after EINTR Linux has already released the number. */
static inline void turf_close(int *fd) {
  int number = *fd;
  int saved = errno;

  *fd = -1;
  if (number >= 0)
    (void)close(number);
  errno = saved;
}

static inline void turf_cleanup_free(void *pointer) {
  int saved = errno;

  free(*(void **)pointer);
  errno = saved;
}

static inline int steal_fd(int *fd) {
  int number = *fd;

  *fd = -1;
  return number;
}

#define cleanup_fd __attribute__((cleanup(turf_close)))
#define cleanup_free __attribute__((cleanup(turf_cleanup_free)))

#define steal_pointer(p)                                                                                                 \
  __extension__({                                                                                                        \
    __typeof__(*(p)) stolen_ = *(p);                                                                                     \
    *(p) = NULL;                                                                                                         \
    stolen_;                                                                                                             \
  })

#endif
