#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "plan/run.h"

int turf_op_close_fds(struct turf_run *run, struct turf_reader *payload) {
  uint32_t keep = turf_read_u32(payload);

  if (keep > INT_MAX - 3)
    return turf_fail(run, -EINVAL, "keep descriptors", NULL);
  /* marked, not closed: the plan needs some of them until execve(2) */
  int result = turf_close_range(3 + keep, UINT_MAX, CLOSE_RANGE_CLOEXEC);
  return result < 0 ? turf_fail(run, result, "mark descriptors close-on-exec", NULL) : 0;
}

int turf_op_stdio(struct turf_run *run, struct turf_reader *payload) {
  for (int number = 0; number < 3; number++) {
    int fd = turf_run_fd(run, payload);
    if (fd >= 0 && dup2(fd, number) < 0)
      return turf_fail(run, -errno, "set standard streams", NULL);
  }
  return 0;
}

static int place(struct turf_run *run, int *fd, int number) {
  if (*fd == number) {
    if (fcntl(number, F_SETFD, 0) < 0)
      return -errno;
    (void)steal_fd(fd);
    return 0;
  }
  int result = turf_run_vacate(run, number);
  if (result < 0)
    return result;
  return dup2(*fd, number) < 0 ? -errno : 0;
}

int turf_op_adopt_fd(struct turf_run *run, struct turf_reader *payload) {
  int32_t index = turf_read_i32(payload);
  uint32_t number = turf_read_u32(payload);
  char digits[TURF_DIGITS];

  int result = place(run, &run->plan->fds[index], (int)number);
  return result < 0 ? turf_fail(run, result, "give descriptor ", turf_text_number(digits, number), NULL) : 0;
}
