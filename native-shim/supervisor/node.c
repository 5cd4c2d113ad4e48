#include "supervisor/node.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/syscalls.h"

#define CHANNEL_FD 3

/* DIST/native/turfd -> DIST */
static int find_dist(char dist[PATH_MAX]) {
  ssize_t length = readlink("/proc/self/exe", dist, PATH_MAX - 1);

  if (length < 0)
    return -errno;
  dist[length] = '\0';
  for (int level = 0; level < 2; level++) {
    char *slash = strrchr(dist, '/');
    if (slash == NULL)
      return -ENOENT;
    *slash = '\0';
  }
  return 0;
}

static int join(char path[PATH_MAX], const char *directory, const char *name) {
  return snprintf(path, PATH_MAX, "%s/%s", directory, name) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int turf_node_exec(const struct turf_node *node) {
  char dist[PATH_MAX], script[PATH_MAX], own[PATH_MAX];

  int result = find_dist(dist);
  if (result == 0)
    result = join(script, dist, "daemon/main.js");
  if (result == 0)
    result = join(own, dist, "node");
  if (result < 0)
    return result;
  const char *program = getenv("TURF_NODE");
  if (program == NULL || *program == '\0')
    program = access(own, X_OK) == 0 ? own : "node";

  cleanup_free const char **argv = calloc((size_t)node->argument_count + 7, sizeof *argv);
  if (argv == NULL)
    return -ENOMEM;
  size_t count = 0;
  argv[count++] = "node";
  argv[count++] = "--no-warnings";
  /* MiB: what a request leaves behind is collected once in hundreds of them, not every few */
  argv[count++] = "--min-semi-space-size=16";
  argv[count++] = script;
  if (node->root != NULL) {
    argv[count++] = "--root";
    argv[count++] = node->root;
  }
  for (int i = 0; i < node->argument_count; i++)
    argv[count++] = node->arguments[i];
  (void)execvp(program, (char *const *)(uintptr_t)argv);
  result = -errno;
  (void)fprintf(stderr, "turfd: cannot execute %s: %s\n", program, strerror(-result));
  return result;
}

static _Noreturn void become_node(const struct turf_node *node, int channel, pid_t supervisor) {
  sigset_t none;

  sigemptyset(&none);
  (void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
  /* dup2 onto itself would leave the descriptor close-on-exec */
  int moved = channel == CHANNEL_FD ? dup(channel) : channel;
  if (getppid() == supervisor && moved >= 0 && dup2(moved, CHANNEL_FD) == CHANNEL_FD &&
      turf_close_range(CHANNEL_FD + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0 && setenv("TURF_SUPERVISOR_FD", "3", 1) == 0 &&
      unsetenv("NOTIFY_SOCKET") == 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0)
    (void)turf_node_exec(node);
  _exit(127);
}

pid_t turf_node_start(const struct turf_node *node, int *channel) {
  int pair[2];

  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
    return -errno;
  cleanup_fd int ours = pair[0], theirs = pair[1];
  pid_t supervisor = getpid();
  pid_t pid = fork();
  if (pid < 0)
    return -errno;
  if (pid == 0)
    become_node(node, theirs, supervisor);
  *channel = steal_fd(&ours);
  return pid;
}
