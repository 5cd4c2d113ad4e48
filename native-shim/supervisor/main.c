/* turfd - starts the daemon and outlives it. Two processes: the front, which a user or systemd started, and the supervisor.
 * It reads --root (TURF_ROOT) only, and asks the daemon's program where a configuration file names the root; every other
 * argument is the daemon's.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "supervisor/front.h"
#include "supervisor/node.h"
#include "supervisor/root.h"
#include "supervisor/supervisor.h"

#define DEFAULT_ROOT "/run/turf"
#define DEFAULT_CONFIG "/etc/turf/config.json"

struct arguments {
  const char *root;
  char **rest; /* without --root */
  int rest_count;
  bool has_config; /* a file that may name the root */
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
      parsed.has_config |= strncmp(argv[i], "--config", 8) == 0;
      parsed.only_asks |= strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--version") == 0;
      parsed.rest[parsed.rest_count++] = argv[i];
    }
  }
  parsed.rest[parsed.rest_count] = NULL;
  if (parsed.root != NULL && *parsed.root == '\0')
    parsed.root = NULL;
  const char *config = getenv("TURF_CONFIG");
  parsed.has_config |= (config != NULL && *config != '\0') || access(DEFAULT_CONFIG, F_OK) == 0;
  return parsed;
}

_Noreturn static void print_root(const struct arguments *arguments, int output) {
  cleanup_free char **rest = calloc((size_t)arguments->rest_count + 2, sizeof *rest);
  char flag[] = "--print-root";

  if (rest == NULL)
    _exit(1);
  rest[0] = flag;
  memcpy(rest + 1, arguments->rest, (size_t)arguments->rest_count * sizeof *rest);
  struct turf_node node = {.arguments = rest, .argument_count = arguments->rest_count + 1};
  if (dup2(output, STDOUT_FILENO) == STDOUT_FILENO)
    (void)turf_node_exec(&node);
  _exit(1);
}

/* Has the daemon's program read the configuration. Returns 0, or the exit code of that program, which has said why. */
static int ask_root(const struct arguments *arguments, char root[PATH_MAX]) {
  int pair[2], status = 0;
  size_t length = 0;
  ssize_t got;

  if (pipe2(pair, O_CLOEXEC) < 0)
    return 1;
  cleanup_fd int input = pair[0], output = pair[1];
  pid_t pid = fork();
  if (pid < 0)
    return 1;
  if (pid == 0)
    print_root(arguments, output);
  turf_close(&output);
  while (length < PATH_MAX - 1 && (got = read(input, root + length, PATH_MAX - 1 - length)) != 0)
    if (got > 0)
      length += (size_t)got;
    else if (errno != EINTR)
      break;
  root[length] = '\0';
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
    ;
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
    return WEXITSTATUS(status);
  return WIFEXITED(status) && root[0] == '/' ? 0 : 1;
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
  char root[PATH_MAX], configured[PATH_MAX];
  struct arguments arguments = parse(argc, argv);

  if (arguments.root == NULL && arguments.has_config && !arguments.only_asks) {
    int code = ask_root(&arguments, configured);
    if (code != 0)
      return code;
    arguments.root = configured;
  }
  int result = make_absolute(arguments.root == NULL ? DEFAULT_ROOT : arguments.root, root);
  if (result < 0)
    return fail("root directory", result);
  struct turf_node node = {.root = root, .arguments = arguments.rest, .argument_count = arguments.rest_count};
  if (arguments.only_asks) {
    (void)turf_node_exec(&node);
    return 1;
  }
  return run(&node);
}
