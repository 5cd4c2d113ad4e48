/* suite.h - what the cases of plan-test share: a root file system, the mounts of a container, a TAP count. */
#ifndef TURF_TEST_SUITE_H
#define TURF_TEST_SUITE_H

#include <sched.h>

#include "container.h"

#define SPACES (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC)
#define NO_U64 UINT64_C(0)

struct suite {
  const char *init;
  char root[64];
  int count, failed;
};

/* One line of TAP; what happened follows where it is not good. */
void check(struct suite *s, int good, const char *promise, const struct outcome *out);

/* `name` below the root, in 256 bytes. */
void path_in(char *path, const struct suite *s, const char *name);

void make_root(struct suite *s);
void remove_root(struct suite *s);

/* Begins a plan with a root and the file systems of a container. */
void base_mounts(struct builder *b, const struct suite *s);

/* Ends it with a shell that runs `script`. */
void end(struct builder *b, const char *script);

/* It started, and its script ended with 0. */
int clean(const struct outcome *out);

#endif
