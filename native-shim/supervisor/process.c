#include "supervisor/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define STATE_FIELD 3
#define PARENT_FIELD 4
#define START_TIME_FIELD 22
#define EXIT_CODE_FIELD 52

int turf_process_stat(pid_t pid, struct turf_process_stat *stat) {
  char path[32], text[2048];

  (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return errno == ENOENT ? -ESRCH : -errno;
  ssize_t length = read(fd, text, sizeof text - 1);
  if (length < 0)
    return -errno;
  text[length] = '\0';

  /* field 2 is the name in parentheses, which may hold spaces and parentheses itself */
  char *field = strrchr(text, ')');
  if (field == NULL)
    return -EINVAL;
  memset(stat, 0, sizeof *stat);
  for (int number = STATE_FIELD; (field = strchr(field, ' ')) != NULL; number++) {
    field++;
    if (number == STATE_FIELD)
      stat->state = *field;
    else if (number == PARENT_FIELD)
      stat->parent = (pid_t)strtol(field, NULL, 10);
    else if (number == START_TIME_FIELD)
      stat->start_time = strtoull(field, NULL, 10);
    else if (number == EXIT_CODE_FIELD)
      stat->exit_code = (int)strtol(field, NULL, 10);
  }
  return 0;
}
