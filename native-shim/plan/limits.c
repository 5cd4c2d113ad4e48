#include <errno.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/syscalls.h"
#include "plan/run.h"

static int set_limit(uint32_t resource, const uint64_t limit[2], uint64_t before[2]) {
  return (int)turf_result(syscall(SYS_prlimit64, 0, resource, limit, before)); /* limit: struct rlimit64 */
}

int turf_run_finish_limits(struct turf_run *run) {
  if (!run->has_file_limit)
    return 0;
  run->has_file_limit = false;
  return set_limit(RLIMIT_NOFILE, run->file_limit, NULL);
}

int turf_op_rlimit(struct turf_run *run, struct turf_reader *payload) {
  uint32_t resource = turf_read_u32(payload);
  uint64_t soft = turf_read_u64(payload);
  uint64_t hard = turf_read_u64(payload);
  uint64_t limit[2] = {soft, hard};
  uint64_t before[2] = {0, 0};
  char digits[TURF_DIGITS];

  /* within the present hard limit no privilege is needed later; above it, it must be now */
  if (resource == RLIMIT_NOFILE && soft <= hard && set_limit(resource, NULL, before) == 0 && hard <= before[1]) {
    run->has_file_limit = true;
    run->file_limit[0] = soft;
    run->file_limit[1] = hard;
    return 0;
  }
  int result = set_limit(resource, limit, NULL);
  if (result < 0)
    return turf_fail(run, result, "set rlimit type ", turf_text_number(digits, resource), NULL);
  return 0;
}

int turf_op_no_new_privs(struct turf_run *run, struct turf_reader *payload) {
  (void)payload;
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : turf_fail(run, -errno, "set no_new_privs", NULL);
}

int turf_op_umask(struct turf_run *run, struct turf_reader *payload) {
  (void)umask(turf_read_u32(payload) & 0777);
  run->umask_given = true;
  return 0;
}

int turf_op_setsid(struct turf_run *run, struct turf_reader *payload) {
  (void)payload;
  if (setsid() < 0 && getsid(0) != getpid())
    return turf_fail(run, -errno, "become session leader", NULL);
  return 0;
}

int turf_op_personality(struct turf_run *run, struct turf_reader *payload) {
  uint64_t persona = turf_read_u64(payload);

  return personality(persona) >= 0 ? 0 : turf_fail(run, -errno, "set personality", NULL);
}
