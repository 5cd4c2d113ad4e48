/* frame.h - frames on a stream socket: `u32 length, u32 type, payload`, little-endian (docs/protocol.md).
 *
 * Descriptors travel by SCM_RIGHTS on the first byte of their frame and arrive O_CLOEXEC. Blocking: on a non-blocking
 * socket the functions poll. EINTR-safe, no SIGPIPE, no allocation, async-signal-safe. All return 0 or -errno:
 *
 *   -EPIPE       the peer closed: between two frames when receiving
 *   -ECONNRESET  end of file inside a frame
 *   -EMSGSIZE    the frame is longer than `limit`; the connection must be closed
 *   -EPROTO      more descriptors came than TURF_FRAME_MAX_FDS
 */
#ifndef TURF_BASE_FRAME_H
#define TURF_BASE_FRAME_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

#define TURF_FRAME_MAX_FDS 253 /* SCM_MAX_FD */
#define TURF_FRAME_HEADER 8
#define TURF_FRAME_LIMIT (1024u * 1024u)

struct turf_frame {
  uint32_t length; /* of the payload, bytes */
  uint32_t type;
  uint32_t fd_count;
  int fds[TURF_FRAME_MAX_FDS]; /* owned by the receiver of the frame */
};

/* Sends one frame whose payload is `payload[0..length)`, with `fd_count` descriptors (they stay the caller's). */
int turf_frame_send(int socket, uint32_t type, const void *payload, uint32_t length, const int *fds, uint32_t fd_count);

/* Receives a frame's header and descriptors. turf_frame_receive_exactly must follow for frame->length bytes. On
 * failure no descriptor is left open. */
int turf_frame_receive_header(int socket, uint32_t limit, struct turf_frame *frame);

/* Receives exactly `length` bytes; descriptors that come with them are discarded. -ECONNRESET on end of file. */
int turf_frame_receive_exactly(int socket, void *buffer, size_t length);

/* Receives a whole frame into `buffer`, which holds `limit` bytes. */
int turf_frame_receive(int socket, void *buffer, uint32_t limit, struct turf_frame *frame);

/* Closes the descriptors of a received frame and forgets them. */
void turf_frame_close_fds(struct turf_frame *frame);

/* Sends all of `data` on any descriptor type by write(2), polling where it is non-blocking. 0 or -errno. SIGPIPE is the caller's. */
int turf_write_all(int fd, const void *data, size_t length);

static inline void turf_put_u32(void *at, uint32_t value) {
  unsigned char *p = at;

  p[0] = (unsigned char)value;
  p[1] = (unsigned char)(value >> 8);
  p[2] = (unsigned char)(value >> 16);
  p[3] = (unsigned char)(value >> 24);
}

static inline uint32_t turf_get_u32(const void *at) {
  const unsigned char *p = at;

  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t turf_get_u64(const void *at) {
  return turf_get_u32(at) | (uint64_t)turf_get_u32((const unsigned char *)at + 4) << 32;
}

static inline void turf_put_u64(void *at, uint64_t value) {
  turf_put_u32(at, (uint32_t)value);
  turf_put_u32((unsigned char *)at + 4, (uint32_t)(value >> 32));
}

#endif
