/* mounts.c - new file systems: configured and mounted detached, then attached by descriptor; and changes of their configuration. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mount_api.h"
#include "plan/run.h"

/* Linux 5.14 and 5.10: headers may be older */
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif

#define FSCONFIG_VALUE_MAX 255 /* fsconfig(2) takes no longer string */

struct new_mount {
  const char *fstype;
  const char *source;
  const char *target;
  uint64_t attributes;
  uint32_t flags;
  uint32_t option_count;
  struct turf_reader options;
};

/* Appends the kernel's own words about a failed fsconfig or fsmount: messages are "e text", "w text", "i text". */
static void add_kernel_message(struct turf_run *run, int fs) {
  char message[256];
  ssize_t length;

  while ((length = read(fs, message, sizeof message - 1)) > 0) {
    while (length > 0 && message[length - 1] == '\n')
      length--;
    message[length] = 0;
    if (length > 2 && message[0] == 'e') {
      (void)turf_text_append(run->error->detail, sizeof run->error->detail, " (", message + 2, ")", NULL);
      return;
    }
  }
}

static int set_options(int fs, struct turf_reader options, uint32_t count) {
  int result = 0;

  for (uint32_t i = 0; i < count && result >= 0; i++) {
    const char *key = turf_read_str(&options);
    const char *value = turf_read_str(&options);
    if (*value == 0)
      result = turf_fsconfig(fs, FSCONFIG_SET_FLAG, key, NULL, 0);
    else
      result = turf_fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0);
  }
  return result;
}

static int configure(int fs, const struct new_mount *mount) {
  int result = 0;

  if (*mount->source != 0)
    result = turf_fsconfig(fs, FSCONFIG_SET_STRING, "source", mount->source, 0);
  if (result >= 0)
    result = set_options(fs, mount->options, mount->option_count);
  return result < 0 ? result : turf_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

static bool needs_mount2(const struct new_mount *mount) {
  struct turf_reader options = mount->options;

  for (uint32_t i = 0; i < mount->option_count; i++) {
    (void)turf_read_str(&options);
    if (strlen(turf_read_str(&options)) > FSCONFIG_VALUE_MAX)
      return true;
  }
  return false;
}

static int join_options(const struct new_mount *mount, char *data, size_t size) {
  struct turf_reader options = mount->options;
  int result = 0;

  data[0] = 0;
  for (uint32_t i = 0; i < mount->option_count && result == 0; i++) {
    const char *key = turf_read_str(&options);
    const char *value = turf_read_str(&options);
    result = turf_text_append(data, size, i == 0 ? "" : ",", key, *value == 0 ? "" : "=", value, NULL);
  }
  return result == 0 ? 0 : -E2BIG;
}

static unsigned long mount_flags(uint64_t attributes) {
  unsigned long flags = 0;

  flags |= (attributes & MOUNT_ATTR_RDONLY) != 0 ? MS_RDONLY : 0;
  flags |= (attributes & MOUNT_ATTR_NOSUID) != 0 ? MS_NOSUID : 0;
  flags |= (attributes & MOUNT_ATTR_NODEV) != 0 ? MS_NODEV : 0;
  flags |= (attributes & MOUNT_ATTR_NOEXEC) != 0 ? MS_NOEXEC : 0;
  flags |= (attributes & MOUNT_ATTR_NODIRATIME) != 0 ? MS_NODIRATIME : 0;
  flags |= (attributes & MOUNT_ATTR_NOSYMFOLLOW) != 0 ? MS_NOSYMFOLLOW : 0;
  if ((attributes & MOUNT_ATTR__ATIME) == MOUNT_ATTR_NOATIME)
    flags |= MS_NOATIME;
  if ((attributes & MOUNT_ATTR__ATIME) == MOUNT_ATTR_STRICTATIME)
    flags |= MS_STRICTATIME;
  return flags;
}

/* mount(2) on the directory that `place` refers to: as ".", so that nothing is looked up again. */
static int mount_by_cwd(const struct new_mount *mount, int place) {
  char data[4096];

  int result = join_options(mount, data, sizeof data);
  if (result < 0)
    return result;
  cleanup_fd int back = turf_openat2(AT_FDCWD, ".", O_PATH | O_DIRECTORY, 0, 0);
  if (back < 0)
    return back;
  if (fchdir(place) < 0)
    return -errno;
  result = turf_mount(mount->source, ".", mount->fstype, mount_flags(mount->attributes), data);
  if (fchdir(back) < 0 && result == 0)
    result = -errno;
  return result;
}

static int open_target(struct turf_run *run, const struct new_mount *mount) {
  /* a link in place of /proc or /sys would hide that they are missing where programs look (CVE-2019-19921) */
  bool plain = strcmp(mount->fstype, "proc") == 0 || strcmp(mount->fstype, "sysfs") == 0;
  uint64_t resolve = plain ? RESOLVE_NO_SYMLINKS : 0;

  if ((mount->flags & TURF_MOUNT_CREATE_DIR) != 0)
    return turf_root_create(run, mount->target, S_IFDIR, resolve);
  if ((mount->flags & TURF_MOUNT_CREATE_FILE) != 0)
    return turf_root_create(run, mount->target, S_IFREG, resolve);
  return turf_root_open(run, mount->target, O_PATH, resolve);
}

/* Makes the mount, attached to nothing; or -errno with the kernel's explanation. */
static int make_mount(struct turf_run *run, struct new_mount *mount) {
  cleanup_fd int fs = turf_fsopen(mount->fstype);

  if (fs < 0)
    return turf_fail(run, fs, "mount ", mount->fstype, " on ", mount->target, NULL);
  int result = configure(fs, mount);
  if (result >= 0)
    result = turf_fsmount(fs, (unsigned)mount->attributes);
  if (result < 0) {
    (void)turf_fail(run, result, "mount ", mount->fstype, " on ", mount->target, NULL);
    add_kernel_message(run, fs);
  }
  return result;
}

int turf_op_mount_fs(struct turf_run *run, struct turf_reader *payload) {
  struct new_mount mount = {.fstype = turf_read_str(payload)};
  mount.source = turf_read_str(payload);
  mount.target = turf_read_str(payload);
  mount.attributes = turf_read_u64(payload);
  uint64_t propagation = turf_read_u64(payload);
  mount.flags = turf_read_u32(payload);
  mount.option_count = turf_read_u32(payload);
  mount.options = *payload;

  cleanup_fd int place = open_target(run, &mount);
  if (place < 0)
    return turf_fail(run, place, "open mount target ", mount.target, NULL);

  cleanup_fd int tree = -1;
  bool by_name = needs_mount2(&mount);
  int result;
  if (by_name) {
    result = mount_by_cwd(&mount, place);
    if (result < 0)
      return turf_fail(run, result, "mount ", mount.fstype, " on ", mount.target, NULL);
    tree = turf_root_open(run, mount.target, O_PATH, 0);
    if (tree < 0)
      return turf_fail(run, tree, "open mount ", mount.target, NULL);
  } else {
    tree = make_mount(run, &mount);
    if (tree < 0)
      return tree;
  }
  if ((mount.flags & TURF_MOUNT_COPY_UP) != 0) {
    result = turf_copy_up(place, tree);
    if (result < 0)
      return turf_fail(run, result, "copy ", mount.target, " into its tmpfs", NULL);
  }
  if (!by_name) {
    result = turf_move_mount(tree, place);
    if (result < 0)
      return turf_fail(run, result, "mount ", mount.fstype, " on ", mount.target, NULL);
  }
  result = turf_set_propagation(tree, propagation);
  return result < 0 ? turf_fail(run, result, "set propagation of ", mount.target, NULL) : 0;
}

int turf_op_reconfigure(struct turf_run *run, struct turf_reader *payload) {
  const char *target = turf_read_str(payload);
  uint32_t count = turf_read_u32(payload);

  cleanup_fd int mount = turf_root_open(run, target, O_PATH, 0);
  if (mount < 0)
    return turf_fail(run, mount, "open mount ", target, NULL);
  cleanup_fd int fs = turf_fspick(mount);
  if (fs < 0)
    return turf_fail(run, fs, "remount ", target, NULL);
  int result = set_options(fs, *payload, count);
  if (result >= 0)
    result = turf_fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
  if (result < 0) {
    (void)turf_fail(run, result, "remount ", target, NULL);
    add_kernel_message(run, fs);
  }
  return result < 0 ? result : 0;
}
