#include "base/frame.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

union control {
  char bytes[CMSG_SPACE(sizeof(int) * TURF_FRAME_MAX_FDS)];
  struct cmsghdr align;
};

/* True when the failed call is to be made again, after waiting for `events` where it would have blocked. */
static bool again(int fd, short events) {
  int saved = errno;

  if (saved == EINTR)
    return true;
  if (saved != EAGAIN && saved != EWOULDBLOCK)
    return false;
  struct pollfd waiting = {.fd = fd, .events = events};
  int ready = poll(&waiting, 1, -1);
  bool retry = ready >= 0 || errno == EINTR;
  errno = saved;
  return retry;
}

static int send_rest(int socket, const unsigned char *data, size_t length) {
  while (length > 0) {
    ssize_t sent = send(socket, data, length, MSG_NOSIGNAL);
    if (sent < 0) {
      if (again(socket, POLLOUT))
        continue;
      return -errno;
    }
    data += sent;
    length -= (size_t)sent;
  }
  return 0;
}

int turf_frame_send(int socket, uint32_t type, const void *payload, uint32_t length, const int *fds, uint32_t fd_count) {
  unsigned char header[TURF_FRAME_HEADER];
  struct iovec parts[2] = {{header, sizeof header}, {(void *)(uintptr_t)payload, length}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = length > 0 ? 2 : 1};
  union control control;

  if (fd_count > TURF_FRAME_MAX_FDS)
    return -EINVAL;
  turf_put_u32(header, length);
  turf_put_u32(header + 4, type);
  if (fd_count > 0) {
    memset(&control, 0, sizeof control);
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
    memcpy(CMSG_DATA(rights), fds, sizeof(int) * fd_count);
  }

  ssize_t sent;
  do
    sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  while (sent < 0 && again(socket, POLLOUT));
  if (sent < 0)
    return -errno;

  size_t done = (size_t)sent;
  if (done < sizeof header) {
    int result = send_rest(socket, header + done, sizeof header - done);
    if (result < 0)
      return result;
    done = sizeof header;
  }
  if (done - sizeof header == length)
    return 0;
  return send_rest(socket, (const unsigned char *)payload + (done - sizeof header), length - (done - sizeof header));
}

/* Takes the descriptors out of a received message. -EPROTO where the kernel had to drop some. */
static int take_rights(struct msghdr *message, struct turf_frame *frame) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
      continue;
    size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
      if (frame->fd_count < TURF_FRAME_MAX_FDS)
        frame->fds[frame->fd_count++] = fd;
      else
        turf_close(&fd);
    }
  }
  return (message->msg_flags & MSG_CTRUNC) != 0 ? -EPROTO : 0;
}

int turf_frame_receive_header(int socket, uint32_t limit, struct turf_frame *frame) {
  unsigned char header[TURF_FRAME_HEADER];
  struct iovec part = {header, sizeof header};
  union control control;
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};

  frame->length = 0;
  frame->type = 0;
  frame->fd_count = 0;

  ssize_t got;
  do
    got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (got < 0 && again(socket, POLLIN));
  if (got < 0)
    return -errno;
  if (got == 0)
    return -EPIPE;

  int result = take_rights(&message, frame);
  if (result == 0)
    result = turf_frame_receive_exactly(socket, header + got, sizeof header - (size_t)got);
  if (result == 0) {
    frame->length = turf_get_u32(header);
    frame->type = turf_get_u32(header + 4);
    if (frame->length > limit)
      result = -EMSGSIZE;
  }
  if (result < 0)
    turf_frame_close_fds(frame);
  return result;
}

int turf_frame_receive_exactly(int socket, void *buffer, size_t length) {
  unsigned char *data = buffer;

  while (length > 0) {
    /* recv(2) has no room for control messages: the kernel drops descriptors that come with these bytes */
    ssize_t got = recv(socket, data, length, 0);
    if (got < 0) {
      if (again(socket, POLLIN))
        continue;
      return -errno;
    }
    if (got == 0)
      return -ECONNRESET;
    data += got;
    length -= (size_t)got;
  }
  return 0;
}

int turf_frame_receive(int socket, void *buffer, uint32_t limit, struct turf_frame *frame) {
  int result = turf_frame_receive_header(socket, limit, frame);

  if (result < 0)
    return result;
  result = turf_frame_receive_exactly(socket, buffer, frame->length);
  if (result < 0)
    turf_frame_close_fds(frame);
  return result;
}

void turf_frame_close_fds(struct turf_frame *frame) {
  for (uint32_t i = 0; i < frame->fd_count; i++)
    turf_close(&frame->fds[i]);
  frame->fd_count = 0;
}

int turf_write_all(int fd, const void *data, size_t length) {
  const unsigned char *p = data;

  while (length > 0) {
    ssize_t written = write(fd, p, length);
    if (written < 0) {
      if (again(fd, POLLOUT))
        continue;
      return -errno;
    }
    p += written;
    length -= (size_t)written;
  }
  return 0;
}
