/* binds.c - mounts made of other mounts: always cloned detached, finished, then attached by descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/mount_api.h"
#include "plan/run.h"

int turf_set_attributes(int fd, uint64_t set, uint64_t clear, uint64_t propagation, bool recursive) {
  struct mount_attr attributes = {.attr_set = set, .attr_clr = clear, .propagation = propagation};

  if (set == 0 && clear == 0 && propagation == 0)
    return 0;
  /* the access time mode is a number, not a set of bits: the kernel wants it cleared as a whole */
  if ((set & MOUNT_ATTR__ATIME) != 0)
    attributes.attr_clr |= MOUNT_ATTR__ATIME;
  return turf_mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attributes);
}

static int open_target(struct turf_run *run, const char *target, uint32_t flags, int tree) {
  struct stat source;

  if ((flags & TURF_MOUNT_CREATE_LIKE) != 0) {
    if (fstat(tree, &source) < 0)
      return -errno;
    return turf_root_create(run, target, S_ISDIR(source.st_mode) ? S_IFDIR : S_IFREG, 0);
  }
  if ((flags & TURF_MOUNT_CREATE_DIR) != 0)
    return turf_root_create(run, target, S_IFDIR, 0);
  if ((flags & TURF_MOUNT_CREATE_FILE) != 0)
    return turf_root_create(run, target, S_IFREG, 0);
  return turf_root_open(run, target, O_PATH, 0);
}

int turf_op_mount_bind(struct turf_run *run, struct turf_reader *payload) {
  const char *source = turf_read_str(payload);
  cleanup_fd int tree = turf_run_take_fd(run, payload);
  const char *target = turf_read_str(payload);
  uint64_t set = turf_read_u64(payload);
  uint64_t clear = turf_read_u64(payload);
  uint64_t set_recursive = turf_read_u64(payload);
  uint64_t clear_recursive = turf_read_u64(payload);
  uint64_t propagation = turf_read_u64(payload);
  uint32_t flags = turf_read_u32(payload);

  if (tree < 0)
    tree = turf_open_tree(AT_FDCWD, source,
                          OPEN_TREE_CLONE | ((flags & TURF_MOUNT_RECURSIVE) != 0 ? AT_RECURSIVE : 0));
  if (tree < 0)
    return turf_fail(run, tree, "open mount source ", source, NULL);

  int result = turf_set_attributes(tree, set_recursive, clear_recursive, 0, true);
  if (result == 0)
    result = turf_set_attributes(tree, set, clear, 0, false);
  if (result < 0)
    return turf_fail(run, result, "set mount options of ", source, " for ", target, NULL);

  cleanup_fd int place = open_target(run, target, flags, tree);
  if (place < 0)
    return turf_fail(run, place, "open mount target ", target, NULL);
  result = turf_move_mount(tree, place);
  if (result < 0)
    return turf_fail(run, result, "mount ", source, " on ", target, NULL);
  result = turf_set_propagation(tree, propagation);
  return result < 0 ? turf_fail(run, result, "set propagation of ", target, NULL) : 0;
}

int turf_op_mount_setattr(struct turf_run *run, struct turf_reader *payload) {
  const char *target = turf_read_str(payload);
  uint64_t set = turf_read_u64(payload);
  uint64_t clear = turf_read_u64(payload);
  uint64_t propagation = turf_read_u64(payload);
  bool recursive = turf_read_u32(payload) != 0 || (propagation & MS_REC) != 0;

  cleanup_fd int place = turf_root_open(run, target, O_PATH, 0);
  if (place < 0)
    return turf_fail(run, place, "open mount ", target, NULL);
  int result = turf_set_attributes(place, set, clear, propagation & ~(uint64_t)MS_REC, recursive);
  return result < 0 ? turf_fail(run, result, "change mount ", target, NULL) : 0;
}

int turf_op_readonly_path(struct turf_run *run, struct turf_reader *payload) {
  const char *path = turf_read_str(payload);

  cleanup_fd int place = turf_root_open(run, path, O_PATH, 0);
  if (place == -ENOENT || place == -ENOTDIR)
    return 0;
  if (place < 0)
    return turf_fail(run, place, "open read-only path ", path, NULL);
  cleanup_fd int tree = turf_open_tree(place, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | AT_RECURSIVE);
  int result = tree < 0 ? tree : turf_set_attributes(tree, MOUNT_ATTR_RDONLY, 0, 0, true);
  if (result == 0)
    result = turf_move_mount(tree, place);
  return result < 0 ? turf_fail(run, result, "make ", path, " read-only", NULL) : 0;
}
