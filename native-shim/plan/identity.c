/* identity.c - users, groups and capabilities. Raw system calls: glibc's would signal threads that a clone does not have. */
#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/syscalls.h"
#include "plan/run.h"

struct sets {
  uint64_t effective, permitted, inheritable;
};

static int get_sets(struct sets *sets) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];

  if (syscall(SYS_capget, &header, data) < 0)
    return -errno;
  sets->effective = data[0].effective | (uint64_t)data[1].effective << 32;
  sets->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
  sets->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
  return 0;
}

static int put_sets(const struct sets *sets) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2] = {
      {(uint32_t)sets->effective, (uint32_t)sets->permitted, (uint32_t)sets->inheritable},
      {(uint32_t)(sets->effective >> 32), (uint32_t)(sets->permitted >> 32), (uint32_t)(sets->inheritable >> 32)}};

  return (int)turf_result(syscall(SYS_capset, &header, data));
}

/* Drops one where the process has it; *known tells whether this kernel knows it. */
static int drop_bounding(int capability, bool *known) {
  if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0)
    return 0;
  int error = -errno;
  int has = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);

  *known = has >= 0;
  return has == 1 ? error : 0;
}

int turf_op_drop_bounding(struct turf_run *run, struct turf_reader *payload) {
  uint64_t keep = turf_read_u64(payload);
  bool known = true;
  char digits[TURF_DIGITS];

  for (int i = 0; i < 64 && known; i++) {
    int result = (keep >> i & 1) != 0 ? 0 : drop_bounding(i, &known);
    if (result < 0)
      return turf_fail(run, result, "drop capability ", turf_text_number(digits, (uint64_t)i), " from the bounding set",
                       NULL);
  }
  return 0;
}

/* A change of the user clears the effective set and makes the process readable by fs.suid_dumpable: both are put back. */
static int change_ids(uid_t uid, gid_t gid) {
  int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
  struct sets sets = {0};

  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
    return -errno;
  if (syscall(SYS_setresgid, gid, gid, gid) < 0 || syscall(SYS_setresuid, uid, uid, uid) < 0)
    return -errno;
  if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
    return -errno;
  if (dumpable == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
    return -errno;
  int result = get_sets(&sets);
  if (result < 0)
    return result;
  sets.effective = sets.permitted;
  return put_sets(&sets);
}

int turf_op_user(struct turf_run *run, struct turf_reader *payload) {
  uid_t uid = turf_read_u32(payload);
  gid_t gid = turf_read_u32(payload);
  bool set_groups = turf_read_u32(payload) != 0;
  uint32_t count = turf_read_u32(payload);
  const void *groups = turf_read_raw(payload, (size_t)count * sizeof(gid_t));
  char digits[TURF_DIGITS];

  /* the kernel copies the list, so that it may lie unaligned in the plan */
  if (set_groups && syscall(SYS_setgroups, (size_t)count, groups) < 0)
    return turf_fail(run, -errno, "set supplementary groups", NULL);
  int result = change_ids(uid, gid);
  return result < 0 ? turf_fail(run, result, "become user ", turf_text_number(digits, uid), NULL) : 0;
}

int turf_op_capabilities(struct turf_run *run, struct turf_reader *payload) {
  struct sets sets = {0};
  char digits[TURF_DIGITS];

  sets.effective = turf_read_u64(payload);
  sets.permitted = turf_read_u64(payload);
  sets.inheritable = turf_read_u64(payload);
  uint64_t ambient = turf_read_u64(payload);

  /* capset(2) leaves out what the kernel does not know */
  int result = put_sets(&sets);
  if (result == 0)
    result = get_sets(&sets);
  if (result < 0)
    return turf_fail(run, result, "set capabilities", NULL);
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
    return turf_fail(run, -errno, "clear ambient capabilities", NULL);
  /* the kernel raises only what is permitted and inheritable; runtimes let the rest go without an error */
  ambient &= sets.permitted & sets.inheritable;
  for (int i = 0; i < 64; i++)
    if ((ambient >> i & 1) != 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
      return turf_fail(run, -errno, "raise ambient capability ", turf_text_number(digits, (uint64_t)i), NULL);
  return 0;
}
