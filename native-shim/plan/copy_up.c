/* copy_up.c - fills a new tmpfs with what the directory below it holds (tmpcopyup). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/syscalls.h"
#include "plan/run.h"

#define DEPTH_MAX 64
#define PLACE (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS)

struct entry { /* struct linux_dirent64 */
  uint64_t inode;
  int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

static int copy_directory(int from, int to, int depth);

static int copy_bytes(int from, int to) {
  ssize_t sent;

  while ((sent = sendfile(to, from, NULL, 1 << 20)) > 0) {
  }
  return sent < 0 ? -errno : 0;
}

/* Owner before mode: chown(2) clears the set-id bits. */
static int copy_owner(int to, const struct stat *facts) {
  if (fchown(to, facts->st_uid, facts->st_gid) < 0 || fchmod(to, facts->st_mode & 07777) < 0)
    return -errno;
  return 0;
}

static int copy_entry(int from, int to, const char *name, int depth) {
  struct stat facts;

  if (fstatat(from, name, &facts, AT_SYMLINK_NOFOLLOW) < 0)
    return -errno;
  if (S_ISLNK(facts.st_mode)) {
    char target[PATH_MAX];
    ssize_t length = readlinkat(from, name, target, sizeof target - 1);
    if (length < 0)
      return -errno;
    target[length] = 0;
    if (symlinkat(target, to, name) < 0 || fchownat(to, name, facts.st_uid, facts.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
      return -errno;
    return 0;
  }
  if (!S_ISDIR(facts.st_mode) && !S_ISREG(facts.st_mode)) {
    if (mknodat(to, name, facts.st_mode, facts.st_rdev) < 0 ||
        fchownat(to, name, facts.st_uid, facts.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
      return -errno;
    return 0;
  }

  bool directory = S_ISDIR(facts.st_mode);
  cleanup_fd int source = turf_openat2(from, name, O_RDONLY | O_NONBLOCK | (directory ? O_DIRECTORY : 0), 0, PLACE);
  if (source < 0)
    return source;
  /* Owner and mode are those of what was opened: another file may have taken the name, whose content must not become set-id. */
  if (fstat(source, &facts) < 0)
    return -errno;
  if (directory ? !S_ISDIR(facts.st_mode) : !S_ISREG(facts.st_mode))
    return -ESTALE;
  if (directory && mkdirat(to, name, 0700) < 0)
    return -errno;
  uint64_t flags = directory ? O_RDONLY | O_DIRECTORY : O_WRONLY | O_CREAT | O_EXCL;
  cleanup_fd int copy = turf_openat2(to, name, flags, directory ? 0 : 0600, PLACE);
  if (copy < 0)
    return copy;
  int result = directory ? copy_directory(source, copy, depth + 1) : copy_bytes(source, copy);
  return result < 0 ? result : copy_owner(copy, &facts);
}

static int copy_directory(int from, int to, int depth) {
  char buffer[2048] __attribute__((aligned(8)));
  long length;

  if (depth > DEPTH_MAX)
    return -ELOOP;
  while ((length = turf_result(syscall(SYS_getdents64, from, buffer, sizeof buffer))) > 0) {
    for (long at = 0; at < length;) {
      const struct entry *entry = (const struct entry *)(buffer + at);
      at += entry->length;
      if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0)
        continue;
      int result = copy_entry(from, to, entry->name, depth);
      if (result < 0)
        return result;
    }
  }
  return (int)length;
}

int turf_copy_up(int from, int to) {
  cleanup_fd int source = turf_openat2(from, ".", O_RDONLY | O_DIRECTORY, 0, RESOLVE_BENEATH);
  cleanup_fd int copy = turf_openat2(to, ".", O_RDONLY | O_DIRECTORY, 0, RESOLVE_BENEATH);

  if (source < 0 || copy < 0)
    return source < 0 ? source : copy;
  return copy_directory(source, copy, 0);
}
