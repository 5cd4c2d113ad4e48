/* seed-attack.c PID VICTIM UID - what hostile code in the seed PID can do to another process, by its number and user on the host.
 *
 * Prints one line for each attempt that succeeds, and `tried`. The victim's /proc is opened before, as nothing of it is in sight in the seed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "become-root-of.h"

static int proc;

static int open_of(const char *name, int flags) {
  return openat(proc, name, flags);
}

static void report(const char *what, int succeeded) {
  if (succeeded)
    printf("%s\n", what);
}

/* In a process of its own, since it changes who that is. */
static void report_joining(const char *name, int type) {
  int status = 0;
  int fd = open_of(name, O_RDONLY);
  pid_t child = fork();

  if (child == 0)
    _exit(fd >= 0 && setns(fd, type) == 0);
  (void)waitpid(child, &status, 0);
  report(name, !WIFEXITED(status) || WEXITSTATUS(status) != 0);
  (void)close(fd);
}

int main(int argc, char **argv) {
  char path[32], word[8];
  struct iovec here = {word, sizeof word}, there = {(void *)0x400000, sizeof word};
  uid_t uid;
  int victim, pidfd;

  if (argc != 4)
    return 2;
  victim = atoi(argv[2]);
  (void)snprintf(path, sizeof path, "/proc/%d", victim);
  proc = open(path, O_RDONLY | O_DIRECTORY);
  uid = (uid_t)strtoul(argv[3], NULL, 10);
  if (proc < 0 || become_root_of(argv[1]) != 0)
    return 3;
  report("signal", kill(victim, 0) == 0);
  pidfd = (int)syscall(SYS_pidfd_open, victim, 0);
  report("signal by pidfd", syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) == 0);
  report("descriptor", syscall(SYS_pidfd_getfd, pidfd, 0, 0) >= 0);
  report("ptrace", ptrace(PTRACE_SEIZE, victim, NULL, NULL) == 0);
  report("read memory", process_vm_readv(victim, &here, 1, &there, 1, 0) > 0);
  report("/proc/PID/mem", open_of("mem", O_RDWR) >= 0);
  report("/proc/PID/environ", open_of("environ", O_RDONLY) >= 0 && read(open_of("environ", O_RDONLY), word, 1) > 0);
  report("/proc/PID/root", open_of("root/turf", O_RDONLY) >= 0);
  report("/proc/PID/uid_map", open_of("uid_map", O_WRONLY) >= 0 && write(open_of("uid_map", O_WRONLY), "0 0 1\n", 6) > 0);
  report("limits", prlimit(victim, RLIMIT_NOFILE, NULL, &(struct rlimit){0}) == 0);
  report_joining("ns/user", CLONE_NEWUSER);
  report_joining("ns/mnt", CLONE_NEWNS);
  report_joining("ns/net", CLONE_NEWNET);
  report_joining("ns/ipc", CLONE_NEWIPC);
  /* 0 is itself, here */
  report("be the victim's user", uid != 0 && setresuid(uid, uid, uid) == 0);
  puts("tried");
  return 0;
}
