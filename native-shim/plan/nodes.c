#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "plan/run.h"

int turf_op_mknod(struct turf_run *run, struct turf_reader *payload) {
  const char *path = turf_read_str(payload);
  mode_t mode = turf_read_u32(payload);
  uint32_t major_number = turf_read_u32(payload);
  uint32_t minor_number = turf_read_u32(payload);
  uid_t uid = turf_read_u32(payload);
  gid_t gid = turf_read_u32(payload);
  dev_t device = makedev(major_number, minor_number);
  struct stat found;
  const char *name;

  cleanup_fd int parent = turf_root_parent(run, path, &name);
  if (parent < 0)
    return turf_fail(run, parent, "open directory of device ", path, NULL);
  bool made = mknodat(parent, name, mode, device) == 0;
  if (!made && errno != EEXIST)
    return turf_fail(run, -errno, "make device ", path, NULL);

  /* what is there now is looked at, not assumed: an image may bring its own node */
  cleanup_fd int node = turf_openat2(parent, name, O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  if (node < 0)
    return turf_fail(run, node, "open device ", path, NULL);
  if (fstat(node, &found) < 0)
    return turf_fail(run, -errno, "look at device ", path, NULL);
  bool numbered = S_ISCHR(mode) || S_ISBLK(mode);
  if ((found.st_mode & S_IFMT) != (mode & S_IFMT) || (numbered && found.st_rdev != device))
    return turf_fail(run, -EEXIST, "something else is in place of device ", path, NULL);
  if (fchownat(node, "", uid, gid, AT_EMPTY_PATH) < 0)
    return turf_fail(run, -errno, "change owner of device ", path, NULL);
  return 0;
}

int turf_op_symlink(struct turf_run *run, struct turf_reader *payload) {
  const char *target = turf_read_str(payload);
  const char *path = turf_read_str(payload);
  const char *name;

  cleanup_fd int parent = turf_root_parent(run, path, &name);
  if (parent < 0)
    return turf_fail(run, parent, "open directory of symbolic link ", path, NULL);
  if (symlinkat(target, parent, name) < 0 && errno != EEXIST)
    return turf_fail(run, -errno, "make symbolic link ", path, NULL);
  return 0;
}
