#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/mount_api.h"
#include "plan/run.h"

/* Opens the container's /dev/null once. Its image or another container could have put something else there
 * (CVE-2025-31133), which would then be visible under every masked path. */
static int open_null(struct turf_run *run) {
  struct stat found;

  if (run->null_fd >= 0)
    return 0;
  cleanup_fd int fd = turf_root_open(run, "/dev/null", O_PATH, RESOLVE_NO_SYMLINKS);
  if (fd < 0)
    return fd;
  if (fstat(fd, &found) < 0)
    return -errno;
  if (!S_ISCHR(found.st_mode) || found.st_rdev != makedev(1, 3))
    return -ENODEV;
  run->null_fd = steal_fd(&fd);
  return 0;
}

static int make_empty(void) {
  cleanup_fd int fs = turf_fsopen("tmpfs");
  int result = fs;

  if (result >= 0)
    result = turf_fsconfig(fs, FSCONFIG_SET_STRING, "size", "4k", 0);
  if (result >= 0)
    result = turf_fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0);
  if (result >= 0)
    result = turf_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
  if (result < 0)
    return result;
  return turf_fsmount(fs, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

/* The first empty directory is kept: an attached mount can be cloned, a detached one only since Linux 6.15. */
static int cover_directory(struct turf_run *run, int place) {
  if (run->empty_fd < 0) {
    run->empty_fd = make_empty();
    return run->empty_fd < 0 ? run->empty_fd : turf_move_mount(run->empty_fd, place);
  }
  cleanup_fd int tree = turf_open_tree(run->empty_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
  return tree < 0 ? tree : turf_move_mount(tree, place);
}

static int cover_file(struct turf_run *run, int place) {
  cleanup_fd int tree = turf_open_tree(run->null_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);

  return tree < 0 ? tree : turf_move_mount(tree, place);
}

int turf_op_mask_path(struct turf_run *run, struct turf_reader *payload) {
  const char *path = turf_read_str(payload);
  struct stat found;

  cleanup_fd int place = turf_root_open(run, path, O_PATH, 0);
  if (place == -ENOENT || place == -ENOTDIR)
    return 0;
  if (place < 0)
    return turf_fail(run, place, "open masked path ", path, NULL);
  if (fstat(place, &found) < 0)
    return turf_fail(run, -errno, "look at masked path ", path, NULL);

  int result;
  if (S_ISDIR(found.st_mode)) {
    result = cover_directory(run, place);
  } else {
    result = open_null(run);
    if (result < 0)
      return turf_fail(run, result, "verify /dev/null to mask ", path, NULL);
    result = cover_file(run, place);
  }
  return result < 0 ? turf_fail(run, result, "mask ", path, NULL) : 0;
}
