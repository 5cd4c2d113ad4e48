/* root.c - from the host's root to the container's. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mount_api.h"
#include "plan/run.h"

int turf_set_propagation(int fd, uint64_t propagation) {
  struct mount_attr attributes = {.propagation = propagation & ~(uint64_t)MS_REC};
  unsigned recursive = (propagation & MS_REC) != 0 ? AT_RECURSIVE : 0;

  if (attributes.propagation == 0)
    return 0;
  return turf_mount_setattr(fd, "", AT_EMPTY_PATH | recursive, &attributes);
}

int turf_op_propagation(struct turf_run *run, struct turf_reader *payload) {
  uint64_t propagation = turf_read_u64(payload);
  uint64_t recursive = turf_read_u32(payload) != 0 ? MS_REC : 0;

  cleanup_fd int root = turf_openat2(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, 0);
  int result = root < 0 ? root : turf_set_propagation(root, propagation | recursive);
  return result < 0 ? turf_fail(run, result, "set mount propagation of /", NULL) : 0;
}

/* Attaches `tree` on top of "/". Absolute paths still start below it, so sources on the host are found until the pivot.
 * pivot_root(2) refuses a shared mount as new root and as its parent, and attaching to a shared "/" would reach the host:
 * both become slaves first. */
static int attach_root(int tree) {
  cleanup_fd int slash = turf_openat2(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, 0);

  if (slash < 0)
    return slash;
  int result = turf_set_propagation(slash, MS_SLAVE);
  if (result == 0)
    result = turf_set_propagation(tree, MS_SLAVE);
  if (result < 0)
    return result;
  return turf_move_mount(tree, slash);
}

int turf_op_rootfs(struct turf_run *run, struct turf_reader *payload) {
  const char *path = turf_read_str(payload);
  cleanup_fd int tree = turf_run_take_fd(run, payload);
  run->root_propagation = turf_read_u64(payload);
  int result = 0;

  if (run->writes_proc && !run->chroot_only)
    turf_run_prepare_proc(run);
  if (tree < 0 && run->chroot_only)
    tree = turf_openat2(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0, 0);
  else if (tree < 0)
    tree = turf_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | AT_RECURSIVE);
  if (tree < 0)
    return turf_fail(run, tree, "open root file system ", path, NULL);
  if (!run->chroot_only)
    result = attach_root(tree);
  if (result < 0)
    return turf_fail(run, result, "attach root file system ", path, NULL);
  turf_close(&run->root_fd);
  turf_close(&run->null_fd);
  run->root_fd = steal_fd(&tree);
  return 0;
}

/* pivot_root(".", ".") stacks the old root on the new one at the same place, so no directory is needed for it. */
static int pivot(int new_root) {
  cleanup_fd int old_root = turf_openat2(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY, 0, 0);

  if (old_root < 0)
    return old_root;
  if (fchdir(new_root) < 0)
    return -errno;
  int result = turf_pivot_root(".", ".");
  if (result < 0)
    return result;
  if (fchdir(old_root) < 0)
    return -errno;
  /* or the unmount would be passed on to the host's mounts */
  result = turf_set_propagation(old_root, MS_SLAVE | MS_REC);
  if (result < 0)
    return result;
  return turf_umount2(".", MNT_DETACH);
}

static int change_root(int new_root) {
  if (fchdir(new_root) < 0 || chroot(".") < 0)
    return -errno;
  return 0;
}

int turf_op_pivot_root(struct turf_run *run, struct turf_reader *payload) {
  uint32_t mode = turf_read_u32(payload);

  if (run->root_fd < 0)
    return turf_fail(run, -EINVAL, "pivot without a root file system", NULL);
  /* mode 1: ROOTFS has put the new root over "/" already, which is what MS_MOVE would do */
  int result = mode == 0 ? pivot(run->root_fd) : change_root(run->root_fd);
  if (result == 0 && chdir("/") < 0)
    result = -errno;
  if (result < 0)
    return turf_fail(run, result, mode == 0 ? "pivot_root" : "change root", NULL);
  turf_close(&run->root_fd);
  run->root_fd = turf_openat2(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, 0);
  if (run->root_fd < 0)
    return turf_fail(run, run->root_fd, "open the new root", NULL);
  /* only now: the kernel does not pivot to a shared mount */
  result = run->chroot_only ? 0 : turf_set_propagation(run->root_fd, run->root_propagation);
  return result < 0 ? turf_fail(run, result, "set propagation of the new root", NULL) : 0;
}

int turf_op_chdir(struct turf_run *run, struct turf_reader *payload) {
  const char *path = turf_read_str(payload);
  char where[PATH_MAX];

  if (turf_read_u32(payload) != 0) {
    cleanup_fd int made = turf_root_create(run, path, S_IFDIR, 0);
    if (made < 0)
      return turf_fail(run, made, "create cwd (\"", path, "\") set in config.json", NULL);
  }
  if (chdir(path) < 0)
    return turf_fail(run, -errno, "chdir to cwd (\"", path, "\") set in config.json failed", NULL);
  /* a cwd reached through a leaked descriptor reads "(unreachable)/..."; glibc's getcwd would hide that */
  if (syscall(SYS_getcwd, where, sizeof where) < 0)
    return turf_fail(run, -errno, "get cwd after chdir to \"", path, "\"", NULL);
  if (where[0] != '/')
    return turf_fail(run, -EPERM, "cwd \"", path, "\" is outside of the container's root", NULL);
  return 0;
}
