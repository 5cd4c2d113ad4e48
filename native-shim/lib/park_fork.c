/* park_fork.c - fork(2) of a single-threaded process into new namespaces, as nobody's child. */
#include "lib/park.h"

#include <errno.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#define HELPER_STACK 65536

struct helper {
  void *landing[5]; /* __builtin_setjmp */
  uint32_t namespaces;
  pid_t pid; /* the clone, or -errno with `step` */
  const char *step;
};

/* Runs on its own stack in the seed's memory, as its own process: namespaces that it leaves are not the seed's. fork() of
 * glibc, not clone(2): libuv renews its signal lock in pthread_atfork handlers and glibc its thread id. */
static int helper_main(void *argument) {
  struct helper *helper = argument;
  pid_t pid;

  if (helper->namespaces != 0 && unshare((int)helper->namespaces) < 0) {
    helper->step = "unshare";
    helper->pid = -errno;
    _exit(1);
  }
  pid = fork();
  if (pid == 0)
    __builtin_longjmp(helper->landing, 1);
  helper->step = "fork";
  helper->pid = pid < 0 ? -errno : pid;
  _exit(0);
}

__attribute__((noinline)) pid_t turf_park_fork(uint32_t namespaces, const char **step) {
  _Alignas(16) char stack[HELPER_STACK];
  struct helper helper = {.namespaces = namespaces, .step = "clone"};
  pid_t pid;

  if (__builtin_setjmp(helper.landing) != 0)
    return 0;
  pid = clone(helper_main, stack + sizeof stack, CLONE_VM | CLONE_VFORK, &helper);
  if (pid < 0)
    helper.pid = -errno;
  else
    while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
      ;
  *step = helper.step;
  return helper.pid != 0 ? helper.pid : -ECHILD;
}
