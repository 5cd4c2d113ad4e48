/* recvtty SOCKET: listens on SOCKET, receives one console master over SCM_RIGHTS, prints "got tty ROWSxCOLUMNS", copies
 * what the console says to stdout and its own stdin to the console, until the console hangs up. */
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

static int receive(int socket_fd) {
  char byte[256];
  union {
    char space[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control;
  struct iovec iov = {.iov_base = byte, .iov_len = sizeof(byte)};
  struct msghdr message = {
      .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof(control.space)};
  if (recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC) < 0)
    return -1;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header == NULL || header->cmsg_type != SCM_RIGHTS)
    return -1;
  int fd;
  memcpy(&fd, CMSG_DATA(header), sizeof(fd));
  return fd;
}

int main(int argc, char **argv) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct winsize size;
  char buffer[4096];
  ssize_t count;

  if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path))
    return 2;
  strcpy(address.sun_path, argv[1]);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 1) < 0)
    return 3;
  int connection = accept(listener, NULL, NULL);
  int master = connection < 0 ? -1 : receive(connection);
  if (master < 0 || ioctl(master, TIOCGWINSZ, &size) < 0)
    return 4;
  dprintf(1, "got tty %ux%u\n", size.ws_row, size.ws_col);

  struct pollfd ends[2] = {{.fd = master, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
  while (poll(ends, 2, -1) > 0) {
    if (ends[0].revents != 0) {
      /* EIO: the last slave descriptor was closed. */
      if ((count = read(master, buffer, sizeof(buffer))) <= 0)
        return 0;
      if (write(1, buffer, (size_t)count) < 0)
        return 5;
    }
    if (ends[1].revents != 0) {
      if ((count = read(0, buffer, sizeof(buffer))) <= 0)
        ends[1].fd = -1;
      else if (write(master, buffer, (size_t)count) < 0)
        return 6;
    }
  }
  return 7;
}
