#include "launch/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/capabilities.h"
#include "base/syscalls.h"
#include "plan/plan.h"

#define STDIO 3
#define MAX_PLACED (STDIO + 2 + TURF_PLAN_MAX_FDS)
#define DECIMAL 12

struct placement {
  int source, target;
};

static void put_decimal(char text[DECIMAL], unsigned value) {
  char digits[DECIMAL];
  size_t n = 0;

  do
    digits[n++] = (char)('0' + value % 10);
  while ((value /= 10) > 0);
  for (size_t i = 0; i < n; i++)
    text[i] = digits[n - 1 - i];
  text[n] = '\0';
}

/* exec resets handlers but keeps what is ignored; an ignored SIGPIPE or SIGHUP of the caller is none of the container's. */
static int reset_signals(void) {
  struct sigaction standard = {.sa_handler = SIG_DFL};
  sigset_t none;

  for (int number = 1; number <= SIGRTMAX; number++)
    (void)sigaction(number, &standard, NULL);
  sigemptyset(&none);
  return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}

/* Moves a descriptor out of the way of the targets, which end before `end`. */
static int clear_of_targets(int *fd, int end) {
  if (*fd >= end)
    return 0;
  int moved = fcntl(*fd, F_DUPFD_CLOEXEC, end);
  if (moved < 0)
    return -errno;
  *fd = moved;
  return 0;
}

/* All sources are moved above the last target before any target is overwritten. dup2 gives copies without close-on-exec;
 * everything from `end` on gets it. In between, numbers 3..base-1 are the caller's --preserve-fds: what the
 * launcher itself may have opened there is close-on-exec already. */
static int place(struct placement *placements, size_t count, int end, int *program) {
  int result = clear_of_targets(program, end);

  for (size_t i = 0; i < count && result == 0; i++)
    result = clear_of_targets(&placements[i].source, end);
  for (size_t i = 0; i < count && result == 0; i++)
    if (dup2(placements[i].source, placements[i].target) < 0)
      result = -errno;
  if (result == 0)
    result = turf_close_range((unsigned)end, ~0U, CLOSE_RANGE_CLOEXEC);
  return result;
}

static int place_descriptors(const struct turf_launch *launch, int base, int *program) {
  struct placement placements[MAX_PLACED];
  size_t count = 0;

  if ((launch->flags & TURF_LAUNCH_KEEP_STDIO) == 0)
    for (int i = 0; i < STDIO; i++)
      if (launch->stdio[i] >= 0)
        placements[count++] = (struct placement){launch->stdio[i], i};
  placements[count++] = (struct placement){launch->plan, base};
  placements[count++] = (struct placement){launch->sync, base + 1};
  for (uint32_t i = 0; i < launch->plan_fd_count; i++)
    placements[count++] = (struct placement){launch->plan_fds[i], base + 2 + (int)i};
  return place(placements, count, base + 2 + (int)launch->plan_fd_count, program);
}

/* After the descriptors are placed: until then some may need numbers above the limit. */
static int limit_open_files(uint64_t soft) {
  struct rlimit limit;

  if (soft == 0)
    return 0;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
    return -errno;
  limit.rlim_cur = soft;
  return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

int turf_launch_become_init(const struct turf_launch *launch, enum turf_launch_step *step) {
  int base = STDIO + (int)launch->preserve_fds;
  int program = launch->program;

  *step = TURF_STEP_SETSID;
  if ((launch->flags & TURF_LAUNCH_SETSID) != 0 && setsid() < 0)
    return -errno;

  int result = 0;
  *step = TURF_STEP_CAPABILITIES;
  if ((launch->clone_flags & CLONE_NEWUSER) != 0 || launch->user_ns_fd >= 0)
    result = turf_keep_capabilities();
  if (result < 0)
    return result;

  *step = TURF_STEP_SIGNALS;
  result = reset_signals();
  if (result < 0)
    return result;

  *step = TURF_STEP_DESCRIPTORS;
  result = place_descriptors(launch, base, &program);
  if (result < 0)
    return result;

  *step = TURF_STEP_LIMIT;
  result = limit_open_files(launch->open_files);
  if (result < 0)
    return result;

  *step = TURF_STEP_EXEC;
  char name[] = "turf-init", base_text[DECIMAL], count_text[DECIMAL];
  put_decimal(base_text, (unsigned)base);
  put_decimal(count_text, launch->plan_fd_count);
  char *const argv[] = {name, base_text, count_text, NULL};
  char *const env[] = {NULL};
  return turf_execveat(program, "", argv, env, AT_EMPTY_PATH);
}
