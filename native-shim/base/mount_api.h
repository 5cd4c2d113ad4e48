/* mount_api.h - the descriptor-based mount calls (Linux 5.2; mount_setattr 5.12) and the few old ones still needed.
 *
 * All return the call's result (>= 0) or -errno, and are async-signal-safe. Do not include <sys/mount.h> beside this.
 */
#ifndef TURF_BASE_MOUNT_API_H
#define TURF_BASE_MOUNT_API_H

#include <linux/mount.h>

#include <fcntl.h>

#include "base/syscalls.h"

#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

static inline int turf_fsopen(const char *fstype) {
  return (int)turf_result(syscall(SYS_fsopen, fstype, FSOPEN_CLOEXEC));
}

static inline int turf_fspick(int mount) {
  return (int)turf_result(syscall(SYS_fspick, mount, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH));
}

static inline int turf_fsconfig(int fs, unsigned command, const char *key, const void *value, int aux) {
  return (int)turf_result(syscall(SYS_fsconfig, fs, command, key, value, aux));
}

static inline int turf_fsmount(int fs, unsigned attributes) {
  return (int)turf_result(syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes));
}

/* `flags`: OPEN_TREE_CLONE, AT_RECURSIVE, AT_EMPTY_PATH, ...; close-on-exec is always added. */
static inline int turf_open_tree(int dirfd, const char *path, unsigned flags) {
  return (int)turf_result(syscall(SYS_open_tree, dirfd, path, flags | OPEN_TREE_CLOEXEC));
}

/* Attaches the mount that `tree` refers to on the object that `target` refers to. */
static inline int turf_move_mount(int tree, int target) {
  return (int)turf_result(
      syscall(SYS_move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

static inline int turf_mount_setattr(int dirfd, const char *path, unsigned flags, struct mount_attr *attributes) {
  return (int)turf_result(syscall(SYS_mount_setattr, dirfd, path, flags, attributes, sizeof *attributes));
}

static inline int turf_mount(const char *source, const char *target, const char *fstype, unsigned long flags,
                             const char *data) {
  return (int)turf_result(syscall(SYS_mount, source, target, fstype, flags, data));
}

static inline int turf_umount2(const char *target, int flags) {
  return (int)turf_result(syscall(SYS_umount2, target, flags));
}

static inline int turf_pivot_root(const char *new_root, const char *put_old) {
  return (int)turf_result(syscall(SYS_pivot_root, new_root, put_old));
}

#endif
