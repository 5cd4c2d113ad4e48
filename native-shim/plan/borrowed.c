/* borrowed.c - a root with mounts of its own for a container that lives in a mount namespace of others.
 *
 * They are made in a namespace of their own for that time, and taken along as a detached tree, so that nothing of them ever shows in the
 * namespace that the container is to be in, and the last process of the container takes them with it. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mount_api.h"
#include "plan/run.h"

/* Not from /proc: in a namespace of others anything may be mounted there. */
static int open_own_namespace(void) {
  cleanup_fd int fs = turf_fsopen("proc");

  if (fs < 0)
    return fs;
  int result = turf_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
  if (result < 0)
    return result;
  cleanup_fd int proc = turf_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  return proc < 0 ? proc : turf_openat2(proc, "thread-self/ns/mnt", O_RDONLY, 0, 0);
}

static int borrow(struct turf_run *run) {
  turf_close(&run->mounts_fd);
  run->mounts_fd = open_own_namespace();
  if (run->mounts_fd < 0)
    return run->mounts_fd;
  turf_close(&run->root_fd);
  turf_close(&run->proc_fd);
  return unshare(CLONE_NEWNS) < 0 ? -errno : 0;
}

static int give_back(struct turf_run *run) {
  cleanup_fd int tree = turf_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | AT_RECURSIVE);

  if (tree < 0)
    return tree;
  if (setns(run->mounts_fd, CLONE_NEWNS) < 0 || fchdir(tree) < 0 || chroot(".") < 0)
    return -errno;
  turf_close(&run->mounts_fd);
  turf_close(&run->root_fd);
  turf_close(&run->proc_fd);
  turf_close(&run->null_fd);
  turf_close(&run->empty_fd);
  run->root_fd = turf_openat2(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, 0);
  return run->root_fd < 0 ? run->root_fd : 0;
}

int turf_op_borrow_mounts(struct turf_run *run, struct turf_reader *payload) {
  bool back = turf_read_u32(payload) != 0;

  if (back && run->mounts_fd < 0)
    return turf_fail(run, -EINVAL, "leave a mount namespace that was not made", NULL);
  int result = back ? give_back(run) : borrow(run);
  if (result < 0)
    return turf_fail(run, result, back ? "return to the mount namespace" : "make mounts for a shared mount namespace", NULL);
  return 0;
}
