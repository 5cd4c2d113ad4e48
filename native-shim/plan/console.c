/* console.c - a pseudo terminal out of the container's own devpts. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mount_api.h"
#include "plan/run.h"
#include "plan/send.h"

/* Opens the multiplexer, and makes sure that it is one: the container could have put anything there. */
static int open_master(struct turf_run *run) {
  struct statfs system;
  struct stat node;

  /* Opening a device can do something, so nothing is opened that does not lie on a devpts, which has no other nodes. */
  cleanup_fd int pts = turf_root_open(run, "/dev/pts", O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
  if (pts < 0)
    return pts;
  if (fstatfs(pts, &system) < 0)
    return -errno;
  if (system.f_type != DEVPTS_SUPER_MAGIC)
    return -ENODEV;
  uint64_t inside = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  cleanup_fd int fd = turf_openat2(pts, "ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK, 0, inside);
  if (fd < 0)
    return fd;
  if (fstat(fd, &node) < 0)
    return -errno;
  if (!S_ISCHR(node.st_mode) || node.st_rdev != makedev(5, 2))
    return -ENODEV;
  if (fcntl(fd, F_SETFL, O_RDWR) < 0)
    return -errno;
  return steal_fd(&fd);
}

/* Opens the other end without a path (CVE-2025-52565). */
static int open_slave(int master, const struct winsize *size, uid_t uid) {
  int unlock = 0;

  if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
    return -errno;
  cleanup_fd int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0)
    return -errno;
  if (size->ws_row != 0 && size->ws_col != 0 && ioctl(slave, TIOCSWINSZ, size) < 0)
    return -errno;
  /* EINVAL, EPERM: an id that the user namespace does not map */
  if (fchown(slave, uid, (gid_t)-1) < 0 && errno != EINVAL && errno != EPERM)
    return -errno;
  return steal_fd(&slave);
}

static int bind_dev_console(struct turf_run *run, int slave) {
  cleanup_fd int place = turf_root_create(run, "/dev/console", S_IFREG, 0);

  if (place < 0)
    return place;
  cleanup_fd int tree = turf_open_tree(slave, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
  return tree < 0 ? tree : turf_move_mount(tree, place);
}

static int take_terminal(int slave, bool later) {
  if (!later && setsid() < 0 && getsid(0) != getpid())
    return -errno;
  if (!later && ioctl(slave, TIOCSCTTY, 0) < 0)
    return -errno;
  for (int number = 0; number < 3; number++)
    if (dup2(slave, number) < 0)
      return -errno;
  return 0;
}

int turf_op_console(struct turf_run *run, struct turf_reader *payload) {
  cleanup_fd int socket = turf_run_take_fd(run, payload);
  struct winsize size = {0};
  size.ws_row = (unsigned short)turf_read_u32(payload);
  size.ws_col = (unsigned short)turf_read_u32(payload);
  uid_t uid = turf_read_u32(payload);
  uint32_t flags = turf_read_u32(payload);
  char name[32] = "/dev/pts/";
  char digits[TURF_DIGITS];
  unsigned number = 0;

  cleanup_fd int master = open_master(run);
  if (master < 0)
    return turf_fail(run, master, "open /dev/pts/ptmx", NULL);
  cleanup_fd int slave = open_slave(master, &size, uid);
  if (slave < 0)
    return turf_fail(run, slave, "open a pseudo terminal", NULL);
  int result = (flags & TURF_CONSOLE_BIND) != 0 ? bind_dev_console(run, slave) : 0;
  if (result < 0)
    return turf_fail(run, result, "mount the terminal on /dev/console", NULL);
  result = take_terminal(slave, (flags & TURF_CONSOLE_LATER) != 0);
  if (result < 0)
    return turf_fail(run, result, "make the terminal the controlling one", NULL);
  if (ioctl(master, TIOCGPTN, &number) < 0)
    return turf_fail(run, -errno, "name the terminal", NULL);
  (void)turf_text_append(name, sizeof name, turf_text_number(digits, number), NULL);
  result = turf_send_fd(socket, master, name);
  return result < 0 ? turf_fail(run, result, "send the terminal to the console socket", NULL) : 0;
}
