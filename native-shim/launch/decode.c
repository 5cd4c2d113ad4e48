#include <errno.h>
#include <linux/sched.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/frame.h"
#include "launch/launch.h"
#include "plan/plan.h"

#define REQUEST_SIZE 48u
#define PROGRAM_INDEX 0
#define PLAN_INDEX 1
#define SYNC_INDEX 2
#define FIRST_PLAN_FD 3u
#define PLAN_HEADER_FD_COUNT 16

#define KNOWN_NAMESPACES \
  ((uint64_t)(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET) | \
   CLONE_NEWTIME)

/* Turns an index into a descriptor; false where there is none of that index. */
static bool pick(const unsigned char *at, const int *fds, uint32_t fd_count, int *fd) {
  int32_t index = (int32_t)turf_get_u32(at);

  *fd = -1;
  if (index < -1 || (index >= 0 && (uint32_t)index >= fd_count))
    return false;
  if (index >= 0)
    *fd = fds[index];
  return true;
}

/* The plan says how many descriptors it refers to. What came beyond those is the launcher's alone (cgroup, namespaces,
 * stdio) and does not reach turf-init. */
static int read_plan_fd_count(int plan, uint32_t *count) {
  unsigned char header[PLAN_HEADER_FD_COUNT + 4];
  ssize_t got = pread(plan, header, sizeof header, 0);

  if (got < 0)
    return -errno;
  if (got != sizeof header || turf_get_u32(header) != TURF_PLAN_MAGIC)
    return -EINVAL;
  *count = turf_get_u32(header + PLAN_HEADER_FD_COUNT);
  return 0;
}

int turf_launch_decode(const void *payload, uint32_t length, const int *fds, uint32_t fd_count, struct turf_launch *launch) {
  const unsigned char *p = payload;
  bool valid = true;

  if (length != REQUEST_SIZE || turf_get_u32(p + 44) != fd_count || fd_count < FIRST_PLAN_FD)
    return -EINVAL;
  memset(launch, 0, sizeof *launch);
  launch->request_id = turf_get_u32(p);
  launch->clone_flags = turf_get_u64(p + 4);
  launch->flags = turf_get_u32(p + 12);
  launch->preserve_fds = turf_get_u32(p + 16);
  valid &= pick(p + 20, fds, fd_count, &launch->cgroup_fd);
  valid &= pick(p + 24, fds, fd_count, &launch->user_ns_fd);
  valid &= pick(p + 28, fds, fd_count, &launch->pid_ns_fd);
  for (uint32_t i = 0; i < 3; i++)
    valid &= pick(p + 32 + 4 * (size_t)i, fds, fd_count, &launch->stdio[i]);
  valid &= (launch->clone_flags & ~KNOWN_NAMESPACES) == 0;
  valid &= launch->preserve_fds <= TURF_LAUNCH_MAX_PRESERVED;
  if (!valid)
    return -EINVAL;

  launch->program = fds[PROGRAM_INDEX];
  launch->plan = fds[PLAN_INDEX];
  launch->sync = fds[SYNC_INDEX];
  launch->plan_fds = fds + FIRST_PLAN_FD;
  int result = read_plan_fd_count(launch->plan, &launch->plan_fd_count);
  if (result < 0)
    return result;
  return launch->plan_fd_count <= fd_count - FIRST_PLAN_FD && launch->plan_fd_count <= TURF_PLAN_MAX_FDS ? 0 : -EINVAL;
}

uint32_t turf_launch_answer(uint32_t request_id, const struct turf_launched *launched, unsigned char *buffer) {
  uint32_t length = (uint32_t)strnlen(launched->step, TURF_LAUNCH_ANSWER - 12);

  turf_put_u32(buffer, request_id);
  turf_put_u32(buffer + 4, (uint32_t)launched->pid);
  turf_put_u32(buffer + 8, length);
  memcpy(buffer + 12, launched->step, length);
  return 12 + length;
}
