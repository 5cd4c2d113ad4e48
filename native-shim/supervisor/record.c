#include "supervisor/record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/frame.h"
#include "base/syscalls.h"

#define NAME 64
#define LINE 192
static const char status_key[] = "\"status\":";

static void record_name(char name[NAME], pid_t pid, uint64_t start_time) {
  (void)snprintf(name, NAME, "exits/%d-%" PRIu64, (int)pid, start_time);
}

static int format(char line[LINE], const struct turf_end *end) {
  struct timespec now;
  struct tm utc;
  char date[32];

  (void)clock_gettime(CLOCK_REALTIME, &now);
  (void)gmtime_r(&now.tv_sec, &utc);
  (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
  return snprintf(line, LINE, "{\"pid\":%d,\"startTime\":%" PRIu64 ",%s%d,\"at\":\"%s.%03ldZ\"}\n", (int)end->pid,
                  end->start_time, status_key, end->wait_status, date, now.tv_nsec / 1000000);
}

/* The directory is made when it is needed first. */
static int publish(int root_fd, const char *temporary, const char *name, unsigned flags) {
  int result = turf_renameat2(root_fd, temporary, root_fd, name, flags);

  if (result == -ENOENT && mkdirat(root_fd, "exits", 0700) == 0)
    result = turf_renameat2(root_fd, temporary, root_fd, name, flags);
  return result;
}

int turf_record_write(int root_fd, const struct turf_end *end) {
  char name[NAME], temporary[NAME], line[LINE];
  int length = format(line, end);

  record_name(name, end->pid, end->start_time);
  /* not in exits/, where a reader would take it for a record */
  (void)snprintf(temporary, sizeof temporary, ".turfd-exit-%d", (int)getpid());
  cleanup_fd int fd = openat(root_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return -errno;
  int result = turf_write_all(fd, line, (size_t)length);
  if (result == 0)
    result = publish(root_fd, temporary, name, end->wait_status < 0 ? RENAME_NOREPLACE : 0);
  if (result < 0)
    (void)unlinkat(root_fd, temporary, 0);
  return result == -EEXIST ? 0 : result;
}

int turf_record_find(int root_fd, pid_t pid, uint64_t start_time) {
  char name[NAME], line[LINE] = "";

  record_name(name, pid, start_time);
  cleanup_fd int fd = openat(root_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 || read(fd, line, sizeof line - 1) <= 0)
    return -1;
  const char *status = strstr(line, status_key);
  return status == NULL ? -1 : (int)strtol(status + sizeof status_key - 1, NULL, 10);
}
