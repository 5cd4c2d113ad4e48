/* capabilities.h - keeping capabilities over execve(2) in a user namespace whose ids are not mapped yet.
 *
 * A process there has every capability, but execve(2) takes them from a user who is not root; ambient ones stay.
 */
#ifndef TURF_BASE_CAPABILITIES_H
#define TURF_BASE_CAPABILITIES_H

#include <linux/capability.h>
#include <sys/prctl.h>

#include "base/syscalls.h"

/* Makes every permitted capability ambient. Async-signal-safe. 0 or -errno. */
static inline int turf_keep_capabilities(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct sets[2] = {{0}};

  if (syscall(SYS_capget, &header, sets) < 0)
    return -errno;
  sets[0].inheritable = sets[0].permitted;
  sets[1].inheritable = sets[1].permitted;
  if (syscall(SYS_capset, &header, sets) < 0)
    return -errno;
  for (int i = 0; i < 64; i++)
    if ((sets[i / 32].permitted >> i % 32 & 1) != 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
      return -errno;
  return 0;
}

/* Empties the ambient and the inheritable set: undoes turf_keep_capabilities. 0 or -errno. */
static inline int turf_lower_capabilities(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct sets[2] = {{0}};

  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 || syscall(SYS_capget, &header, sets) < 0)
    return -errno;
  sets[0].inheritable = 0;
  sets[1].inheritable = 0;
  return (int)turf_result(syscall(SYS_capset, &header, sets));
}

#endif
