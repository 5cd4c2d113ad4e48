/* open-as.c - see open-as.h. */
#include "lib/open-as.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>

#include "base/syscalls.h"

#define KEEP ((uid_t)-1)

/* The system call itself: glibc's setresuid would change every thread of the process. */
static long set_euid(uid_t euid) {
  return turf_result(syscall(SYS_setresuid, KEEP, euid, KEEP));
}

/* A non-root euid clears the effective set; the permitted set stays, as the real uid is still 0. */
static long raise_dac_override(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2] = {0};
  long result = turf_result(syscall(SYS_capget, &header, data));

  if (result < 0)
    return result;
  data[CAP_TO_INDEX(CAP_DAC_OVERRIDE)].effective |= CAP_TO_MASK(CAP_DAC_OVERRIDE);
  return turf_result(syscall(SYS_capset, &header, data));
}

int turf_open_as(uid_t euid, const char *path, int flags) {
  uid_t before = geteuid();
  int dumpable = prctl(PR_GET_DUMPABLE);
  long fd = set_euid(euid);

  if (fd < 0)
    return (int)fd;
  fd = raise_dac_override();
  if (fd >= 0)
    fd = turf_result(syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0));
  if (set_euid(before) < 0 || geteuid() != before) {
    if (fd >= 0)
      (void)close((int)fd);
    return -ENOTRECOVERABLE;
  }
  /* a change of euid makes the whole process non-dumpable */
  if (dumpable == 1)
    (void)prctl(PR_SET_DUMPABLE, 1);
  return (int)fd;
}
