#include "supervisor/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define OWNER_TRIES 50
#define OWNER_PAUSE 2000000L /* nanoseconds */

int turf_root_open(const char *root) {
  char path[PATH_MAX];

  if (snprintf(path, sizeof path, "%s", root) >= (int)sizeof path)
    return -ENAMETOOLONG;
  for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
      return -errno;
    *slash = '/';
  }
  if (mkdir(path, 0700) < 0 && errno != EEXIST)
    return -errno;
  int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

/* The owner writes its pid a moment after it took the lock; until then the file names a daemon of the past. */
static pid_t read_owner(int fd) {
  const struct timespec pause = {.tv_nsec = OWNER_PAUSE};

  for (int i = 0; i < OWNER_TRIES; i++) {
    char text[24] = "";
    if (pread(fd, text, sizeof text - 1, 0) > 0) {
      long pid = strtol(text, NULL, 10);
      if (pid > 0 && pid <= INT_MAX && (kill((pid_t)pid, 0) == 0 || errno == EPERM))
        return (pid_t)pid;
    }
    (void)nanosleep(&pause, NULL);
  }
  return 0;
}

int turf_root_lock(int root_fd, pid_t *owner) {
  cleanup_fd int fd = openat(root_fd, "turfd.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

  *owner = 0;
  if (fd < 0)
    return -errno;
  if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
    int error = errno;
    if (error == EWOULDBLOCK)
      *owner = read_owner(fd);
    return -error;
  }
  if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
    return -errno;
  return steal_fd(&fd);
}
