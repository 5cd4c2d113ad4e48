/* turf-init BASE COUNT - the first process of a container: executes the launch plan that the daemon compiled.
 *
 * Descriptor BASE is the plan, BASE+1 the sync channel, BASE+2+i the plan's descriptor i of COUNT (docs/protocol.md).
 * Exit codes: 1 the plan failed (reported as `E`), or the daemon gave up; 2 started wrongly.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/capabilities.h"
#include "base/cleanup.h"
#include "base/frame.h"
#include "base/syscalls.h"
#include "plan/plan.h"

enum { EXIT_PLAN = 1, EXIT_USAGE = 2 };

static bool parse(const char *text, unsigned long limit, unsigned *value) {
  char *end;

  errno = 0;
  unsigned long parsed = strtoul(text, &end, 10);
  *value = (unsigned)parsed;
  return *text >= '0' && *text <= '9' && *end == 0 && errno == 0 && parsed <= limit;
}

static int map_plan(int fd, struct turf_plan *plan) {
  struct stat facts;

  if (fstat(fd, &facts) < 0)
    return -errno;
  if (facts.st_size <= 0)
    return -EINVAL;
  plan->length = (size_t)facts.st_size;
  void *data = mmap(NULL, plan->length, PROT_READ, MAP_PRIVATE, fd, 0);
  if (data == MAP_FAILED)
    return -errno;
  plan->data = data;
  return 0;
}

int main(int argc, char **argv) {
  struct turf_plan plan = {0};
  struct turf_plan_error error = {.op_index = UINT32_MAX, .detail = "map launch plan"};
  unsigned base;
  unsigned count;
  int report_fd;

  /* nobody may look at or into this process before it has become the container's program */
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
    return EXIT_USAGE;
  if (argc != 3 || !parse(argv[1], INT_MAX / 2, &base) || base < 3 || !parse(argv[2], TURF_PLAN_MAX_FDS, &count))
    return EXIT_USAGE;
  if (turf_lower_capabilities() < 0)
    return EXIT_USAGE;
  if (turf_close_range(base, UINT_MAX, CLOSE_RANGE_CLOEXEC) < 0)
    return EXIT_USAGE;
  int plan_fd = (int)base;
  plan.sync_fd = report_fd = (int)base + 1;
  plan.fd_count = count;
  for (unsigned i = 0; i < count; i++)
    plan.fds[i] = (int)(base + 2 + i);

  int result = turf_frame_send(plan.sync_fd, 'H', NULL, 0, NULL, 0);
  if (result < 0)
    _exit(EXIT_PLAN);
  result = map_plan(plan_fd, &plan);
  error.err = -result;
  turf_close(&plan_fd);
  if (result == 0)
    result = turf_plan_run(&plan, &error, &report_fd);
  if (result < 0 && result != -ECANCELED)
    (void)turf_plan_report(report_fd, &error);
  _exit(result < 0 ? EXIT_PLAN : 0);
}
