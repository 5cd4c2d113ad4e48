/* process.c - pidfds and sealed memory files. */
#include "lib/libturf.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int turf_abi_version(void)
{
  return TURF_ABI_VERSION;
}

static int fill_and_seal(int fd, const uint8_t *data, size_t length)
{
  while (length > 0) {
    ssize_t n = write(fd, data, length);
    if (n < 0) {
      if (errno == EINTR)
        continue;
      return -errno;
    }
    data += n;
    length -= (size_t)n;
  }
  if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
    return -errno;
  return 0;
}

int turf_sealed_memfd(const char *name, const uint8_t *data, size_t length)
{
  int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0)
    return -errno;
  int r = fill_and_seal(fd, data, length);
  if (r < 0) {
    close(fd);
    return r;
  }
  return fd;
}

int turf_pidfd_open(int pid)
{
  long fd = syscall(SYS_pidfd_open, pid, 0);
  return fd < 0 ? -errno : (int)fd;
}

int turf_pidfd_send_signal(int pidfd, int signal)
{
  return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}
