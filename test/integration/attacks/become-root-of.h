/* become-root-of.h - for attacks by hostile code in a seed: becomes root of the user namespace of a process. */
#ifndef TURF_TEST_BECOME_ROOT_OF_H
#define TURF_TEST_BECOME_ROOT_OF_H

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* 0, or -1. */
static int become_root_of(const char *pid) {
  char path[64];
  int user, mounts;

  (void)snprintf(path, sizeof path, "/proc/%s/ns/user", pid);
  user = open(path, O_RDONLY);
  (void)snprintf(path, sizeof path, "/proc/%s/ns/mnt", pid);
  mounts = open(path, O_RDONLY);
  if (setns(user, CLONE_NEWUSER) != 0 || setns(mounts, CLONE_NEWNS) != 0)
    return -1;
  return syscall(SYS_setgroups, 0, NULL) != 0 || setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0 ? -1 : 0;
}

#endif
