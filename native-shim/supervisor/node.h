/* node.h - the Node.js process that is the daemon. */
#ifndef TURF_SUPERVISOR_NODE_H
#define TURF_SUPERVISOR_NODE_H

#include <sys/types.h>

/* How to start it. The strings outlive the supervisor. */
struct turf_node {
  const char *root; /* NULL: the daemon finds it in its configuration */
  char *const *arguments; /* of turfd without --root, NULL-terminated */
  int argument_count;
};

/* Executes `node DIST/daemon/main.js [--root ROOT] ARGUMENTS...`, where DIST is the parent of this program's directory. Node is
 * $TURF_NODE, else DIST/node, else from PATH. Returns only on failure: -errno, with a line on stderr. */
int turf_node_exec(const struct turf_node *node);

/* Forks and executes it with the other end of *channel as descriptor 3 (TURF_SUPERVISOR_FD). It gets SIGTERM when this
 * process dies. Returns the pid, or -errno. */
pid_t turf_node_start(const struct turf_node *node, int *channel);

#endif
