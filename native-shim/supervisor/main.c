/* turfd - starts the daemon and outlives it. Two processes: the front, which a user or systemd started, and the supervisor.
 * It reads --root (TURF_ROOT) only; every other argument is the daemon's.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "supervisor/front.h"
#include "supervisor/node.h"
#include "supervisor/root.h"
#include "supervisor/supervisor.h"

#define DEFAULT_ROOT "/run/turf"

struct arguments {
  const char *root;
  char **rest; /* without --root */
  int rest_count;
  bool only_asks; /* --help, --version: nothing is to be locked or supervised */
};

/* Moves what is not --root to the front of argv. */
static struct arguments parse(int argc, char *argv[]) {
  static const char prefix[] = "--root=";
  struct arguments parsed = {.root = getenv("TURF_ROOT"), .rest = argv};

  for (int i = 1; i < argc; i++) {
    if (strncmp(argv[i], prefix, sizeof prefix - 1) == 0) {
      parsed.root = argv[i] + sizeof prefix - 1;
    } else if (strcmp(argv[i], "--root") == 0 && i + 1 < argc) {
      parsed.root = argv[++i];
    } else {
      parsed.only_asks |= strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--version") == 0;
      parsed.rest[parsed.rest_count++] = argv[i];
    }
  }
  parsed.rest[parsed.rest_count] = NULL;
  if (parsed.root == NULL || *parsed.root == '\0')
    parsed.root = DEFAULT_ROOT;
  return parsed;
}

static int make_absolute(const char *root, char path[PATH_MAX]) {
  char directory[PATH_MAX] = "";

  if (root[0] != '/' && getcwd(directory, sizeof directory) == NULL)
    return -errno;
  const char *separator = directory[0] == '\0' ? "" : "/";
  return snprintf(path, PATH_MAX, "%s%s%s", directory, separator, root) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int fail(const char *what, int error) {
  (void)fprintf(stderr, "turfd: %s: %s\n", what, strerror(-error));
  return 1;
}

static int run(const struct turf_node *node) {
  pid_t owner;
  int pair[2];

  cleanup_fd int root = turf_root_open(node->root);
  if (root < 0)
    return fail(node->root, root);
  cleanup_fd int lock = turf_root_lock(root, &owner);
  if (lock == -EWOULDBLOCK) {
    (void)fprintf(stderr, "turfd: another daemon runs on %s (pid %d)\n", node->root, (int)owner);
    return 1;
  }
  if (lock < 0)
    return fail("turfd.lock", lock);
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
    return fail("socketpair", -errno);
  cleanup_fd int front = pair[0], supervisor = pair[1];

  pid_t pid = fork();
  if (pid < 0)
    return fail("fork", -errno);
  if (pid == 0) {
    turf_close(&supervisor);
    return turf_supervisor_run(node, steal_fd(&root), steal_fd(&lock), steal_fd(&front));
  }
  turf_close(&front);
  return turf_front_run(supervisor);
}

int main(int argc, char *argv[]) {
  char root[PATH_MAX];
  struct arguments arguments = parse(argc, argv);

  int result = make_absolute(arguments.root, root);
  if (result < 0)
    return fail("root directory", result);
  struct turf_node node = {.root = root, .arguments = arguments.rest, .argument_count = arguments.rest_count};
  if (arguments.only_asks) {
    (void)turf_node_exec(&node);
    return 1;
  }
  return run(&node);
}
