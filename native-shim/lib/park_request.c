/* park_request.c - receives one control frame, with a deadline: a peer that stalls must not hold the seed for ever. */
#include "lib/park.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* Takes the descriptors of one message. The kernel discards what does not fit and says so by MSG_CTRUNC. */
static int take_descriptors(struct msghdr *message, struct turf_frame *frame) {
  int r = message->msg_flags & MSG_CTRUNC ? -EPROTO : 0;

  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
    size_t count;

    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
      continue;
    count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd;

      memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
      if (frame->fd_count < TURF_FRAME_MAX_FDS) {
        frame->fds[frame->fd_count++] = fd;
      } else {
        (void)close(fd);
        r = -EPROTO;
      }
    }
  }
  return r;
}

static ssize_t receive_some(int connection, uint8_t *at, size_t length, struct turf_frame *frame, int *result) {
  union {
    char bytes[CMSG_SPACE(TURF_FRAME_MAX_FDS * sizeof(int))];
    struct cmsghdr align;
  } control;
  struct iovec part = {.iov_base = at, .iov_len = length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  ssize_t got = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);

  if (got >= 0)
    *result = take_descriptors(&message, frame);
  return got;
}

int turf_park_receive(int connection, uint8_t *buffer, uint32_t capacity, struct turf_frame *frame, int seconds) {
  struct timeval patience = {.tv_sec = seconds};
  uint32_t wanted = TURF_FRAME_HEADER, have = 0;
  int r = 0;

  frame->length = frame->type = frame->fd_count = 0;
  if (setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0)
    return -errno;
  while (r == 0 && have < wanted) {
    ssize_t got = receive_some(connection, buffer + have, wanted - have, frame, &r);

    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return errno == EAGAIN ? -ETIMEDOUT : -errno;
    if (got == 0)
      return -EPIPE;
    have += (uint32_t)got;
    if (have == TURF_FRAME_HEADER && wanted == TURF_FRAME_HEADER) {
      frame->length = turf_get_u32(buffer);
      frame->type = turf_get_u32(buffer + 4);
      if (frame->length > capacity - TURF_FRAME_HEADER)
        return -EMSGSIZE;
      wanted += frame->length;
    }
  }
  return r;
}
