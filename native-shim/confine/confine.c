/* confine.c - libturf-confine.so, an add-on of Node.js: a worker that starts cold loads it when its runtime stands, before any user code.
 *
 * Loading it installs the workers' system call filter, which waits as a sealed memfd at descriptor TURF_FILTER_FD, in every thread of the process.
 * A process in which that fails ends here: user code never runs without the filter.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CONFINE_EXPORT __attribute__((visibility("default")))

/* daemon/seeds/cold-spec.ts */
#define TURF_FILTER_FD 5

static int install(const struct sock_fprog *program) {
  /* with TSYNC a positive result is the thread that could not take the filter over */
  long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, program);

  return r < 0 ? -errno : r > 0 ? -EBUSY : 0;
}

static int confine(void) {
  struct sock_fprog program = {0};
  struct stat facts;
  int r;

  if (fstat(TURF_FILTER_FD, &facts) < 0)
    return -errno;
  if (facts.st_size <= 0 || facts.st_size % (off_t)sizeof(struct sock_filter) != 0 ||
      facts.st_size / (off_t)sizeof(struct sock_filter) > BPF_MAXINSNS)
    return -EINVAL;
  program.len = (unsigned short)((size_t)facts.st_size / sizeof(struct sock_filter));
  program.filter = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, TURF_FILTER_FD, 0);
  if (program.filter == MAP_FAILED)
    return -errno;
  r = install(&program);
  (void)munmap(program.filter, (size_t)facts.st_size);
  (void)close(TURF_FILTER_FD);
  return r;
}

/* Node-API's entry point; its types are pointers. */
CONFINE_EXPORT void *napi_register_module_v1(void *env, void *exports);

void *napi_register_module_v1(void *env, void *exports) {
  int r = confine();

  (void)env;
  if (r == 0)
    return exports;
  (void)dprintf(STDERR_FILENO, "turf: the system call filter could not be installed: %s\n", strerror(-r));
  _exit(1);
}
