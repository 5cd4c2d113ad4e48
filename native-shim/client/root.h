/* root.h - which daemon this invocation talks to. */
#ifndef TURF_CLIENT_ROOT_H
#define TURF_CLIENT_ROOT_H

#include <stddef.h>

/* Finds the root directory: the last of `--root DIR` and `--root=DIR` among the flags before the verb, else $TURF_ROOT, else
 * /run/turf. Writes it as an absolute path. Returns 0, -ENAMETOOLONG, or -errno of getcwd(3). */
int turf_client_root(int argc, char *const argv[], char *root, size_t size);

#endif
