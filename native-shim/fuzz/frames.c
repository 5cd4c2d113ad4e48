/* libFuzzer harness of the frame decoders: base/frame.c, and lib/park_request.c of seeds. The input is what a peer sends before it
 * closes; the first byte decides which decoder, what limit, and how many descriptors come with the first byte. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/frame.h"
#include "lib/park.h"

#define LIMIT 512u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void send_all(int socket, const uint8_t *data, size_t size, unsigned fd_count) {
  union {
    char bytes[CMSG_SPACE(8 * sizeof(int))];
    struct cmsghdr align;
  } control;
  struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  static int any = -1;

  if (any < 0)
    any = memfd_create("any", MFD_CLOEXEC);
  if (fd_count > 0) {
    memset(&control, 0, sizeof control);
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
    /* not the socket itself: it would keep the connection open */
    for (unsigned i = 0; i < fd_count; i++)
      memcpy(CMSG_DATA(rights) + i * sizeof(int), &any, sizeof any);
  }
  if (sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    abort();
}

/* Frames until the first error; a buffer of exactly the limit lets the sanitizer see a write beyond it. */
static void receive_frames(int socket, uint32_t limit) {
  struct turf_frame frame;
  unsigned char *buffer = malloc(limit + (limit == 0));

  if (buffer == NULL)
    return;
  while (turf_frame_receive(socket, buffer, limit, &frame) == 0) {
    if (frame.length > limit || frame.fd_count > TURF_FRAME_MAX_FDS)
      abort();
    turf_frame_close_fds(&frame);
  }
  free(buffer);
}

static void receive_control(int socket, uint32_t capacity) {
  struct turf_frame frame;
  unsigned char *buffer = malloc(capacity);

  if (buffer == NULL)
    return;
  if (turf_park_receive(socket, buffer, capacity, &frame, 1) == 0 && frame.length > capacity - TURF_FRAME_HEADER)
    abort();
  turf_frame_close_fds(&frame);
  free(buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  int ends[2];

  if (size < 2 || size > 65536)
    return 0;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
    abort();
  send_all(ends[0], data + 1, size - 1, data[0] >> 1 & 7);
  (void)close(ends[0]);
  if ((data[0] & 1) == 0)
    receive_frames(ends[1], data[0] >> 4 == 0 ? 0 : LIMIT);
  else
    receive_control(ends[1], LIMIT);
  (void)close(ends[1]);
  return 0;
}
