#include "client/child.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

bool turf_child_reap(struct turf_client_child *child) {
  if (!child->foreground || child->ended)
    return false;
  pid_t got = waitpid(child->pid, &child->wait_status, WNOHANG);
  child->ended = got == child->pid;
  return child->ended;
}

static void reap(struct turf_client_child *child) {
  while (waitpid(child->pid, &child->wait_status, 0) < 0 && errno == EINTR)
    ;
}

int turf_child_replace(struct turf_client_child *child, pid_t pid) {
  siginfo_t info;

  if (pid <= 0 || waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
    return -ECHILD;
  reap(child);
  child->pid = pid;
  return 0;
}

void turf_child_discard(struct turf_client_child *child) {
  if (child->pid <= 0 || child->foreground)
    return;
  (void)kill(child->pid, SIGKILL);
  reap(child);
  child->pid = 0;
}

int turf_child_exit_code(const struct turf_client_child *child) {
  return WIFSIGNALED(child->wait_status) ? 128 + WTERMSIG(child->wait_status) : WEXITSTATUS(child->wait_status);
}
