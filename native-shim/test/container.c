#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/capabilities.h"
#include "base/cleanup.h"
#include "base/syscalls.h"
#include "container.h"

static void must(int good, const char *what) {
  if (!good) {
    perror(what);
    exit(99);
  }
}

static int listening(struct sockaddr_un *address) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  socklen_t length = sizeof *address;

  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  /* autobind: an abstract name of the kernel's choice */
  must(bind(fd, (struct sockaddr *)address, sizeof(sa_family_t)) == 0 && listen(fd, 4) == 0, "start socket");
  must(getsockname(fd, (struct sockaddr *)address, &length) == 0, "start socket");
  return fd;
}

static void write_file(const char *path, const char *text) {
  cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
  must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
}

static void answer_sync(int sync, pid_t pid, int user_namespace) {
  char path[64], payload[32] = "";

  if (user_namespace) {
    snprintf(path, sizeof path, "/proc/%d/uid_map", pid);
    write_file(path, "0 100000 65536");
    snprintf(path, sizeof path, "/proc/%d/gid_map", pid);
    write_file(path, "0 100000 65536");
  }
  int digits = snprintf(payload + 4, sizeof payload - 4, "%d", pid);
  turf_put_u32(payload, (uint32_t)digits);
  must(turf_frame_send(sync, 'G', payload, 4 + (uint32_t)digits, NULL, 0) == 0, "send GO");
}

static void take_error(const char *payload, struct outcome *out) {
  out->err = (int)turf_get_u32(payload);
  out->opcode = turf_get_u32(payload + 8);
  uint32_t length = turf_get_u32(payload + 12);
  memcpy(out->detail, payload + 16, length);
  out->detail[length] = 0;
}

static int start(const struct sockaddr_un *address) {
  int bad = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  must(connect(bad, (const struct sockaddr *)address, sizeof(sa_family_t) + 6) == 0, "connect");
  turf_close(&bad); /* a connection without START is to be ignored */
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  must(connect(fd, (const struct sockaddr *)address, sizeof(sa_family_t) + 6) == 0, "connect");
  must(turf_frame_send(fd, 'S', NULL, 0, NULL, 0) == 0, "send START");
  return fd;
}

void run_container(const char *init, struct builder *plan, uint64_t clone_flags, int extra, struct outcome *out) {
  struct sockaddr_un address;
  struct clone_args args = {.flags = clone_flags, .exit_signal = SIGCHLD};
  int sync[2], output[2];
  char payload[2048];
  struct turf_frame frame;
  uint32_t fd_count = extra >= 0 ? 2 : 1;

  memset(out, 0, sizeof *out);
  finish(plan, fd_count);
  int memory = memfd_create("plan", MFD_CLOEXEC);
  must(write(memory, plan->data, plan->length) == (ssize_t)plan->length, "plan");
  must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sync) == 0 && pipe2(output, O_CLOEXEC) == 0, "pipes");
  int socket_fd = listening(&address);
  pid_t pid = turf_clone3(&args);
  must(pid >= 0, "clone3");
  if (pid == 0) {
    char count[8];
    char *argv[] = {(char *)"turf-init", (char *)"3", count, NULL};
    char *envp[] = {NULL};
    int from[] = {memory, sync[1], socket_fd, extra};
    snprintf(count, sizeof count, "%u", fd_count);
    dup2(output[1], 1);
    dup2(output[1], 2);
    for (int i = 0; i < 4; i++)
      from[i] = from[i] < 0 ? -1 : fcntl(from[i], F_DUPFD_CLOEXEC, 100);
    for (int i = 0; i < 4; i++)
      if (from[i] >= 0)
        dup2(from[i], 3 + i);
    if ((clone_flags & CLONE_NEWUSER) != 0)
      must(turf_keep_capabilities() == 0, "keep capabilities");
    execve(init, argv, envp);
    _exit(98);
  }
  turf_close(&sync[1]);
  turf_close(&output[1]);
  turf_close(&socket_fd);
  int connection = -1;
  while (turf_frame_receive(sync[0], payload, sizeof payload, &frame) == 0) {
    if (frame.type == 'S')
      answer_sync(sync[0], pid, (clone_flags & CLONE_NEWUSER) != 0);
    if (frame.type == 'K') {
      out->ready = 1;
      connection = start(&address);
    }
    if (frame.type == 'E')
      take_error(payload, out);
  }
  if (connection >= 0 && turf_frame_receive(connection, payload, sizeof payload, &frame) == 0 && frame.type == 'E')
    take_error(payload, out);
  size_t used = 0;
  ssize_t got;
  while ((got = read(output[0], out->output + used, sizeof out->output - 1 - used)) > 0)
    used += (size_t)got;
  must(waitpid(pid, &out->status, 0) == pid, "wait");
  turf_close(&connection);
  turf_close(&output[0]);
  turf_close(&sync[0]);
  turf_close(&memory);
}

int receive_fd(int socket, char text[32]) {
  char control[64] __attribute__((aligned(8)));
  struct iovec part = {text, 31};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  int fd = -1;

  ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  text[got > 0 ? got : 0] = 0;
  if (got > 0 && CMSG_FIRSTHDR(&message) != NULL)
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return fd;
}
