/* mount.c - detached mounts that the daemon prepares and hands to containers by descriptor. */
#include "lib/libturf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int turf_open_tree(const char *path, int clone, int recursive)
{
  unsigned int flags = OPEN_TREE_CLOEXEC | (clone ? OPEN_TREE_CLONE : 0u) | (clone && recursive ? AT_RECURSIVE : 0u);
  int fd = open_tree(AT_FDCWD, path, flags);
  return fd < 0 ? -errno : fd;
}

int turf_open_in_root(const char *root, const char *path, int flags)
{
  int directory = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0)
    return -errno;
  struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC), .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
  long fd = syscall(SYS_openat2, directory, path, &how, sizeof how);
  int r = fd < 0 ? -errno : (int)fd;
  close(directory);
  return r;
}

int turf_mount_setattr(int fd, uint64_t set, uint64_t clear, int recursive)
{
  struct mount_attr attr = { .attr_set = set, .attr_clr = clear };
  unsigned int flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0u);
  return mount_setattr(fd, "", flags, &attr, sizeof attr) < 0 ? -errno : 0;
}

static int configure(int fs, const char *options, size_t length)
{
  const char *end = options + length;
  while (options < end) {
    const char *key = options;
    const char *value = memchr(key, 0, (size_t)(end - key));
    if (value == NULL || ++value >= end)
      return -EINVAL;
    const char *next = memchr(value, 0, (size_t)(end - value));
    if (next == NULL)
      return -EINVAL;
    int r = *value != 0 ? fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0) : fsconfig(fs, FSCONFIG_SET_FLAG, key, NULL, 0);
    if (r < 0)
      return -errno;
    options = next + 1;
  }
  return fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ? -errno : 0;
}

int turf_new_mount(const char *fstype, const char *options, size_t length, uint64_t attributes)
{
  int fs = fsopen(fstype, FSOPEN_CLOEXEC);
  if (fs < 0)
    return -errno;
  int r = configure(fs, options, length);
  if (r == 0) {
    r = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned int)attributes);
    if (r < 0)
      r = -errno;
  }
  close(fs);
  return r;
}

int turf_mknod_at(int directory, const char *name, uint32_t mode, uint32_t major_number, uint32_t minor_number)
{
  /* mknodat obeys the process's umask, which is not ours to change: set the mode afterwards. */
  if (mknodat(directory, name, mode, makedev(major_number, minor_number)) < 0)
    return -errno;
  return fchmodat(directory, name, mode & 07777, 0) < 0 ? -errno : 0;
}
