#include "base/exit-info.h"

#include <stdint.h>
#include <sys/ioctl.h>

/* struct pidfd_info as of Linux 6.13, 64 bytes: the kernel accepts this size for ever. */
struct pidfd_info_v0 {
  uint64_t mask, cgroup;
  uint32_t pid, tgid, ppid, ids[8];
  int32_t exit_code;
};
#define INFO_EXIT (UINT64_C(1) << 3)
#define GET_INFO _IOWR(0xff, 11, struct pidfd_info_v0)
_Static_assert(sizeof(struct pidfd_info_v0) == 64, "PIDFD_INFO_SIZE_VER0");

bool turf_exit_info(int pidfd, int *wait_status) {
  struct pidfd_info_v0 info = {.mask = INFO_EXIT};

  if (ioctl(pidfd, GET_INFO, &info) < 0 || (info.mask & INFO_EXIT) == 0)
    return false;
  *wait_status = info.exit_code;
  return true;
}
