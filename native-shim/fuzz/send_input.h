/* send_input.h - a fuzzer's bytes as one frame and what follows it, where they begin with a header that fits; otherwise as they are. */
#ifndef TURF_FUZZ_SEND_INPUT_H
#define TURF_FUZZ_SEND_INPUT_H

#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/frame.h"

#define TURF_FUZZ_FDS 8

/* @param any a descriptor that goes with the frame `fd_count` times, at most TURF_FUZZ_FDS; not the socket itself: it would keep the connection open */
static void send_input(int socket, const uint8_t *data, size_t size, int any, uint32_t fd_count) {
  int fds[TURF_FUZZ_FDS];

  for (size_t i = 0; i < TURF_FUZZ_FDS; i++)
    fds[i] = any;
  if (size >= TURF_FRAME_HEADER && turf_get_u32(data) <= size - TURF_FRAME_HEADER) {
    uint32_t length = turf_get_u32(data);
    if (turf_frame_send(socket, turf_get_u32(data + 4), data + TURF_FRAME_HEADER, length, fds, fd_count) < 0)
      abort();
    data += TURF_FRAME_HEADER + length;
    size -= TURF_FRAME_HEADER + length;
  }
  if (size > 0 && send(socket, data, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    abort();
}

#endif
