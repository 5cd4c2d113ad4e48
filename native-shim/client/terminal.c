#include "client/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/frame.h"

#define END_OF_TRANSMISSION '\004'

void turf_terminal_start(struct turf_terminal *terminal, int console, bool stdin_is_tty) {
  turf_close(&terminal->console);
  terminal->console = console;
  terminal->tty = stdin_is_tty ? STDIN_FILENO : -1;
}

static int receive_descriptor(int socket) {
  char byte;
  struct iovec part = {&byte, sizeof byte};
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control;
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  int fd = -1;

  if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) <= 0)
    return -1;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c))
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof fd))
      memcpy(&fd, CMSG_DATA(c), sizeof fd);
  return fd;
}

static void make_raw(struct turf_terminal *terminal) {
  if (terminal->tty < 0)
    return;
  if (!terminal->raw && tcgetattr(terminal->tty, &terminal->saved) < 0)
    return;
  struct termios raw = terminal->saved;
  cfmakeraw(&raw);
  terminal->raw = tcsetattr(terminal->tty, TCSANOW, &raw) == 0;
}

void turf_terminal_receive_master(struct turf_terminal *terminal) {
  terminal->master = receive_descriptor(terminal->console);
  turf_close(&terminal->console);
  if (terminal->master < 0)
    return;
  /* Blocking writes could wait for a container that itself waits for its output to be read */
  int flags = fcntl(terminal->master, F_GETFL);
  (void)fcntl(terminal->master, F_SETFL, flags | O_NONBLOCK);
  terminal->input_open = true;
  turf_terminal_resize(terminal);
  make_raw(terminal);
}

void turf_terminal_resize(const struct turf_terminal *terminal) {
  struct winsize window;

  if (terminal->master < 0)
    return;
  for (int fd = 0; fd < 3; fd++)
    if (ioctl(fd, TIOCGWINSZ, &window) == 0) {
      (void)ioctl(terminal->master, TIOCSWINSZ, &window);
      return;
    }
}

void turf_terminal_resume(struct turf_terminal *terminal) {
  if (!terminal->raw)
    return;
  make_raw(terminal);
  turf_terminal_resize(terminal);
}

void turf_terminal_read_input(struct turf_terminal *terminal) {
  ssize_t got = read(STDIN_FILENO, terminal->pending, TURF_RELAY_BUFFER);

  if (got < 0 && (errno == EINTR || errno == EAGAIN))
    return;
  terminal->pending_at = 0;
  terminal->pending_end = got > 0 ? (size_t)got : 1;
  if (got <= 0) {
    terminal->input_open = false;
    terminal->pending[0] = END_OF_TRANSMISSION;
  }
}

void turf_terminal_write_input(struct turf_terminal *terminal) {
  size_t length = terminal->pending_end - terminal->pending_at;
  ssize_t written = write(terminal->master, terminal->pending + terminal->pending_at, length);

  if (written > 0)
    terminal->pending_at += (size_t)written;
  else if (written < 0 && errno != EAGAIN && errno != EINTR)
    terminal->pending_at = terminal->pending_end;
}

void turf_terminal_copy_output(struct turf_terminal *terminal) {
  char buffer[TURF_RELAY_BUFFER];
  ssize_t got = read(terminal->master, buffer, sizeof buffer);

  /* EIO: every process has closed the container's end */
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
    turf_close(&terminal->master);
  else if (got > 0)
    (void)turf_write_all(STDOUT_FILENO, buffer, (size_t)got);
}

void turf_terminal_finish(struct turf_terminal *terminal) {
  if (terminal->master < 0 && terminal->console >= 0)
    turf_terminal_receive_master(terminal);
  while (terminal->master >= 0) {
    /* poll, not FIONREAD: only poll waits for output that the kernel has not handed over to the master yet */
    struct pollfd master = {.fd = terminal->master, .events = POLLIN};
    if (poll(&master, 1, 0) <= 0 || (master.revents & POLLIN) == 0)
      break;
    turf_terminal_copy_output(terminal);
  }
  turf_close(&terminal->master);
  turf_close(&terminal->console);
  turf_terminal_restore(terminal);
}

void turf_terminal_restore(struct turf_terminal *terminal) {
  /* SIGTTOU is blocked, so that this succeeds from a background process group too */
  if (terminal->raw)
    (void)tcsetattr(terminal->tty, TCSADRAIN, &terminal->saved);
  terminal->raw = false;
}
