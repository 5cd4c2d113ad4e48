#include "supervisor/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/frame.h"

int turf_outbox_flush(struct turf_outbox *outbox, int socket) {
  while (outbox->length > 0) {
    ssize_t sent = send(socket, outbox->data, outbox->length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR)
        continue;
      return errno == EAGAIN ? 0 : -errno;
    }
    outbox->length -= (size_t)sent;
    memmove(outbox->data, outbox->data + sent, outbox->length);
  }
  return 0;
}

int turf_outbox_put(struct turf_outbox *outbox, int socket, uint32_t type, const void *payload, uint32_t length) {
  size_t needed = outbox->length + TURF_FRAME_HEADER + length;

  if (needed > TURF_OUTBOX_LIMIT)
    return -ENOBUFS;
  if (needed > outbox->capacity) {
    size_t capacity = needed * 2;
    unsigned char *grown = realloc(outbox->data, capacity);
    if (grown == NULL)
      return -ENOBUFS;
    outbox->data = grown;
    outbox->capacity = capacity;
  }
  turf_put_u32(outbox->data + outbox->length, length);
  turf_put_u32(outbox->data + outbox->length + 4, type);
  memcpy(outbox->data + outbox->length + TURF_FRAME_HEADER, payload, length);
  outbox->length = needed;
  return turf_outbox_flush(outbox, socket);
}

void turf_outbox_clear(struct turf_outbox *outbox) {
  free(outbox->data);
  *outbox = (struct turf_outbox){0};
}
