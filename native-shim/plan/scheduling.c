/* scheduling.c - how the kernel is to schedule the process, its I/O and its memory. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/syscalls.h"
#include "plan/run.h"

#define IOPRIO_WHO_PROCESS 1
#define NODE_BITS_MAX 4096

/* struct sched_attr of linux/sched/types.h, in its first published size: glibc 2.36 has no declaration of it. */
struct scheduling {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};

int turf_op_scheduler(struct turf_run *run, struct turf_reader *payload) {
  struct scheduling attributes = {.size = sizeof attributes, .policy = turf_read_u32(payload)};
  attributes.flags = turf_read_u64(payload);
  attributes.nice = turf_read_i32(payload);
  attributes.priority = turf_read_u32(payload);
  attributes.runtime = turf_read_u64(payload);
  attributes.deadline = turf_read_u64(payload);
  attributes.period = turf_read_u64(payload);

  if (syscall(SYS_sched_setattr, 0, &attributes, 0) < 0)
    return turf_fail(run, -errno, "set scheduling policy", NULL);
  return 0;
}

/* Of the process itself: what it forks inherits it. */
int turf_op_io_priority(struct turf_run *run, struct turf_reader *payload) {
  uint32_t priority = turf_read_u32(payload);

  if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, priority) < 0)
    return turf_fail(run, -errno, "set I/O priority", NULL);
  return 0;
}

int turf_op_memory_policy(struct turf_run *run, struct turf_reader *payload) {
  uint32_t mode = turf_read_u32(payload);
  struct turf_str nodes = turf_read_bytes(payload);
  unsigned long mask[NODE_BITS_MAX / (8 * sizeof(unsigned long))] = {0};

  if (nodes.length > sizeof mask)
    return turf_fail(run, -EINVAL, "set memory policy", NULL);
  memcpy(mask, nodes.bytes, nodes.length); /* little-endian, as the machine is */
  /* the kernel reads one bit less than it is told */
  unsigned long bits = nodes.length == 0 ? 0 : (unsigned long)nodes.length * 8 + 1;
  if (syscall(SYS_set_mempolicy, mode, nodes.length == 0 ? NULL : mask, bits) < 0)
    return turf_fail(run, -errno, "set memory policy", NULL);
  return 0;
}
