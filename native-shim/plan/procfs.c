/* procfs.c - writing below /proc without trusting what the container has put there (CVE-2025-52881). */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mount_api.h"
#include "plan/run.h"

#define PROC_ROOT_INODE 1
#define INSIDE (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV)

/* A procfs of the present pid namespace that is attached nowhere. */
static int mount_private(void) {
  cleanup_fd int fs = turf_fsopen("proc");

  if (fs < 0)
    return fs;
  int result = turf_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
  return result < 0 ? result : turf_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

/* The mounted /proc, when it is the root of a procfs. What is mounted over its parts is kept out by RESOLVE_NO_XDEV. */
static int open_mounted(void) {
  struct statfs system;
  struct stat root;

  cleanup_fd int fd = turf_openat2(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
  if (fd < 0)
    return fd;
  if (fstatfs(fd, &system) < 0 || fstat(fd, &root) < 0)
    return -errno;
  if (system.f_type != PROC_SUPER_MAGIC || root.st_ino != PROC_ROOT_INODE)
    return -ENODEV;
  return steal_fd(&fd);
}

static int open_proc(struct turf_run *run) {
  if (run->proc_fd >= 0)
    return run->proc_fd;
  run->proc_fd = mount_private();
  /* a user namespace may mount procfs only where it already sees all of one */
  if (run->proc_fd == -EPERM || run->proc_fd == -EACCES)
    run->proc_fd = open_mounted();
  return run->proc_fd;
}

void turf_run_prepare_proc(struct turf_run *run) {
  if (run->proc_fd < 0)
    run->proc_fd = mount_private();
  if (run->proc_fd < 0)
    run->proc_fd = -1;
}

/* Our own number there: "self" is a symbolic link, and those are refused. */
static int own_number(int proc, char self[TURF_PID_TEXT]) {
  ssize_t digits = readlinkat(proc, "self", self, TURF_PID_TEXT - 1);

  if (digits <= 0)
    return digits < 0 ? -errno : -ENOENT;
  self[digits] = 0;
  return strspn(self, "0123456789") == (size_t)digits ? 0 : -ENODEV;
}

/* `directory` is "sys", or NULL for our own. */
static int open_below(struct turf_run *run, const char *directory, const char *path, uint64_t flags) {
  char full[PATH_MAX] = "";
  char self[TURF_PID_TEXT];
  int result = 0;

  int proc = open_proc(run);
  if (proc < 0)
    return proc;
  if (directory == NULL)
    result = own_number(proc, self);
  if (result == 0)
    result = turf_text_append(full, sizeof full, directory == NULL ? self : directory, "/", path, NULL);
  return result < 0 ? result : turf_openat2(proc, full, flags, 0, INSIDE);
}

static int write_below(struct turf_run *run, const char *directory, const char *path, const char *value) {
  size_t length = strlen(value);

  cleanup_fd int fd = open_below(run, directory, path, O_WRONLY);
  if (fd < 0)
    return fd;
  /* one write: the kernel takes each as a whole value */
  ssize_t written = write(fd, value, length);
  if (written < 0)
    return -errno;
  return (size_t)written == length ? 0 : -EIO;
}

int turf_run_write_self(struct turf_run *run, const char *path, const char *value) {
  return write_below(run, NULL, path, value);
}

int turf_run_open_self_link(struct turf_run *run, const char *directory, const char *name) {
  cleanup_fd int place = open_below(run, NULL, directory, O_PATH | O_DIRECTORY);

  return place < 0 ? place : turf_openat2(place, name, O_RDONLY, 0, 0);
}

int turf_op_sysctl(struct turf_run *run, struct turf_reader *payload) {
  const char *path = turf_read_str(payload);
  const char *value = turf_read_str(payload);

  int result = write_below(run, "sys", path, value);
  return result < 0 ? turf_fail(run, result, "write sysctl ", path, NULL) : 0;
}

int turf_op_write_proc_self(struct turf_run *run, struct turf_reader *payload) {
  const char *path = turf_read_str(payload);
  const char *value = turf_read_str(payload);

  int result = write_below(run, NULL, path, value);
  return result < 0 ? turf_fail(run, result, "write ", value, " to /proc/self/", path, NULL) : 0;
}
