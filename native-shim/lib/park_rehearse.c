/* park_rehearse.c - one clone that nobody asked for answers one request, so that the next ones know what they will touch. */
#include "lib/park.h"

#include <signal.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

/* a clone of a loaded machine answers late; one that hangs must not hold the seed */
#define ANSWER_PATIENCE_SECONDS 5

static const char request[] = "GET /json?a=1 HTTP/1.1\r\nhost: worker\r\nuser-agent: warm\r\naccept: */*\r\nconnection: close\r\n\r\n";

static int connect_to(const char name[static sizeof((struct sockaddr_un *)0)->sun_path]) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct timeval patience = {.tv_sec = ANSWER_PATIENCE_SECONDS};
  cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  memcpy(address.sun_path + 1, name, sizeof address.sun_path - 1);
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0 ||
      connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
    return -1;
  return steal_fd(&fd);
}

/* Whether the clone answered the request with 200, to its end. */
static int answers(int connection) {
  static const char good[] = "HTTP/1.1 200 ";
  char head[sizeof good - 1], rest[1024];
  size_t have = 0;
  ssize_t got;

  if (send(connection, request, sizeof request - 1, MSG_NOSIGNAL) != sizeof request - 1)
    return 0;
  while ((got = recv(connection, rest, sizeof rest, 0)) > 0) {
    size_t part = sizeof head - have < (size_t)got ? sizeof head - have : (size_t)got;

    memcpy(head + have, rest, part);
    have += part;
  }
  return got == 0 && have == sizeof head && memcmp(head, good, sizeof head) == 0;
}

int turf_park_rehearse(struct turf_park_clone *clone) {
  char name[sizeof((struct sockaddr_un *)0)->sun_path];
  cleanup_fd int listener = turf_seed_warm_listener(name, sizeof name);
  cleanup_fd int connection = -1;
  const char *step;
  pid_t pid;

  if (listener < 0)
    return 0;
  pid = turf_park_fork(CLONE_NEWPID | CLONE_NEWNET, &step);
  if (pid == 0) {
    turf_park_become_rehearsal(clone, steal_fd(&listener));
    return 1;
  }
  if (pid < 0)
    return 0;
  connection = connect_to(name);
  turf_close(&listener); /* the clone's alone now: when it ends, so does the wait */
  if (connection >= 0 && answers(connection))
    (void)turf_park_learn(&clone->warmth, pid);
  (void)kill(pid, SIGKILL);
  return 0;
}
