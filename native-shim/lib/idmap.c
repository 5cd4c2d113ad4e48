/* idmap.c - user namespaces that carry an id mapping and nobody in them, and mounts that are shown through one. */
#include "lib/libturf.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_SIZE (16u << 10)
#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
#endif

/* Shares the daemon's memory: it makes one system call, which does not return, as no signal but SIGKILL reaches it. */
static int hold(void *argument)
{
  (void)argument;
  while (syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0) < 0) {
  }
  return 0;
}

static int write_map(pid_t pid, const char *file, const char *map)
{
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return -errno;
  /* one write: the kernel takes no second one */
  ssize_t written = write(fd, map, strlen(map));
  int r = written < 0 ? -errno : (size_t)written == strlen(map) ? 0 : -EIO;
  close(fd);
  return r;
}

static int map_and_open(pid_t pid, const char *uid_map, const char *gid_map)
{
  char path[64];
  int r = write_map(pid, "gid_map", gid_map);
  if (r == 0)
    r = write_map(pid, "uid_map", uid_map);
  if (r < 0)
    return r;
  snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

int turf_mapped_user_ns(const char *uid_map, const char *gid_map)
{
  sigset_t all, before;
  char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED)
    return -errno;
  sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before);
  /* no exit signal: SIGCHLD is for the children that the daemon knows */
  pid_t pid = clone(hold, stack + STACK_SIZE, CLONE_NEWUSER | CLONE_VM | CLONE_FILES, NULL);
  int r = pid < 0 ? -errno : 0;
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (r == 0) {
    r = map_and_open(pid, uid_map, gid_map);
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR) {
    }
  }
  (void)munmap(stack, STACK_SIZE);
  return r;
}

struct mapper {
  int parent;
  pid_t pid;
  const char *uid_map, *gid_map;
  int result;
};

/* Shares the daemon's memory, not its credentials: joining a user namespace is this process's own affair. */
static int map_from_parent(void *argument)
{
  struct mapper *mapper = argument;
  mapper->result = setns(mapper->parent, CLONE_NEWUSER) < 0 ? -errno : write_map(mapper->pid, "gid_map", mapper->gid_map);
  if (mapper->result == 0)
    mapper->result = write_map(mapper->pid, "uid_map", mapper->uid_map);
  _exit(0);
}

int turf_map_nested(int parent, int pid, const char *uid_map, const char *gid_map)
{
  struct mapper mapper = { .parent = parent, .pid = pid, .uid_map = uid_map, .gid_map = gid_map, .result = -ECHILD };
  sigset_t all, before;
  int dumpable = prctl(PR_GET_DUMPABLE);
  char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED)
    return -errno;
  sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before);
  /* the joined namespace's root must not trace a process that shares the daemon's memory */
  (void)prctl(PR_SET_DUMPABLE, 0);
  /* without CLONE_FILES: the descriptors that it opens are its own */
  pid_t helper = clone(map_from_parent, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK, &mapper);
  if (helper < 0)
    mapper.result = -errno;
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
  while (helper > 0 && waitpid(helper, NULL, __WALL) < 0 && errno == EINTR) {
  }
  if (dumpable == 1)
    (void)prctl(PR_SET_DUMPABLE, 1);
  (void)munmap(stack, STACK_SIZE);
  return mapper.result;
}

int turf_idmap_mount(int tree, int user_ns, int recursive)
{
  struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)user_ns };
  unsigned int flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0u);
  return mount_setattr(tree, "", flags, &attr, sizeof attr) < 0 ? -errno : 0;
}
