#include "client/root.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_ROOT "/run/turf"

/* Global flags whose value is an argument of its own: it is not the verb. */
static bool takes_value(const char *name) {
  static const char *const names[] = {"log", "log-format", "log-level", "cgroup-manager", "criu", "rootless"};

  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(name, names[i]) == 0)
      return true;
  return false;
}

/* As the daemon reads flags: with one dash or two. */
static const char *find_flag(int argc, char *const argv[]) {
  static const char prefix[] = "root=";
  const char *root = NULL;

  for (int i = 1; i < argc && argv[i][0] == '-' && strcmp(argv[i], "--") != 0; i++) {
    const char *name = argv[i] + (argv[i][1] == '-' ? 2 : 1);

    if (strncmp(name, prefix, sizeof prefix - 1) == 0)
      root = name + sizeof prefix - 1;
    else if (strcmp(name, "root") == 0 && i + 1 < argc)
      root = argv[++i];
    else if (takes_value(name))
      i++;
  }
  return root;
}

int turf_client_root(int argc, char *const argv[], char *root, size_t size) {
  const char *found = find_flag(argc, argv);

  if (found == NULL || *found == '\0')
    found = getenv("TURF_ROOT");
  if (found == NULL || *found == '\0')
    found = DEFAULT_ROOT;

  size_t used = 0;
  if (found[0] != '/') {
    if (getcwd(root, size) == NULL)
      return -errno;
    used = strlen(root);
    if (used + 1 >= size)
      return -ENAMETOOLONG;
    root[used++] = '/';
  }
  if (strlen(found) >= size - used)
    return -ENAMETOOLONG;
  strcpy(root + used, found);
  return 0;
}
