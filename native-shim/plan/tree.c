/* tree.c - paths of the container, resolved through descriptors that cannot leave its root. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "plan/run.h"

/* Before ROOTFS, and after setns into a mount namespace, the root is the process's own. */
static int root_of(struct turf_run *run) {
  if (run->root_fd < 0)
    run->root_fd = turf_openat2(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, 0);
  return run->root_fd;
}

int turf_root_open(struct turf_run *run, const char *path, uint64_t flags, uint64_t resolve) {
  int root = root_of(run);

  if (root < 0)
    return root;
  return turf_openat2(root, *path == 0 ? "/" : path, flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve);
}

/* Opens the entry `name` of `parent`, after making it where it is missing. A symbolic link is refused: it dangles, or was
 * put there a moment ago. */
static int make_entry(int parent, const char *name, mode_t kind) {
  uint64_t inside = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;

  if (strcmp(name, "..") == 0)
    return -EINVAL;
  if (kind == S_IFDIR) {
    if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
      return -errno;
    return turf_openat2(parent, name, O_PATH | O_DIRECTORY, 0, inside);
  }
  int made = turf_openat2(parent, name, O_CREAT | O_EXCL | O_RDONLY | O_NOFOLLOW, 0644, inside);
  if (made < 0 && made != -EEXIST)
    return made;
  turf_close(&made);
  return turf_openat2(parent, name, O_PATH | O_NOFOLLOW, 0, inside);
}

int turf_root_create(struct turf_run *run, const char *path, mode_t kind, uint64_t resolve) {
  char prefix[PATH_MAX];
  size_t length = strnlen(path, sizeof prefix);
  bool below_new = false;

  int found = turf_root_open(run, path, O_PATH, resolve);
  if (found != -ENOENT)
    return found;
  if (length >= sizeof prefix)
    return -ENAMETOOLONG;

  cleanup_fd int parent = turf_root_open(run, "/", O_PATH | O_DIRECTORY, 0);
  for (size_t end = 0; parent >= 0;) {
    size_t start = end;
    while (path[start] == '/')
      start++;
    if (path[start] == 0)
      return steal_fd(&parent);
    end = start;
    while (path[end] != '/' && path[end] != 0)
      end++;
    bool last = path[end + strspn(path + end, "/")] == 0;
    memcpy(prefix, path, end);
    prefix[end] = 0;

    int next = below_new ? -ENOENT : turf_root_open(run, prefix, O_PATH, resolve);
    if (next == -ENOENT) {
      below_new = true;
      next = make_entry(parent, prefix + start, last ? kind : S_IFDIR);
    }
    turf_close(&parent);
    parent = next;
  }
  return parent;
}

int turf_root_parent(struct turf_run *run, const char *path, const char **name) {
  char parent[PATH_MAX];
  const char *slash = strrchr(path, '/');
  size_t length = slash == NULL ? 0 : (size_t)(slash - path);

  *name = slash == NULL ? path : slash + 1;
  if (**name == 0 || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0)
    return -EINVAL;
  if (length >= sizeof parent)
    return -ENAMETOOLONG;
  if (length > 0)
    memcpy(parent, path, length);
  parent[length] = 0;
  return turf_root_create(run, parent, S_IFDIR, 0);
}
