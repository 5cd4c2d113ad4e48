/* keyring.c - a session keyring of the container's own. */
#include <errno.h>
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "plan/run.h"

int turf_op_session_keyring(struct turf_run *run, struct turf_reader *payload) {
  const char *name = turf_read_str(payload);

  if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name) < 0 && errno != ENOSYS)
    return turf_fail(run, -errno, "join session keyring ", name, NULL);
  return 0;
}
