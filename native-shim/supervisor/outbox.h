/* outbox.h - frames on their way to the daemon: written without ever blocking, kept while the socket is full. */
#ifndef TURF_SUPERVISOR_OUTBOX_H
#define TURF_SUPERVISOR_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TURF_OUTBOX_LIMIT (1024u * 1024u)

struct turf_outbox {
  unsigned char *data;
  size_t length, capacity;
};

/* Queues a frame and sends what the socket takes. Returns 0, -ENOBUFS where the daemon has left TURF_OUTBOX_LIMIT bytes unread, or
 * -errno of send(2). */
int turf_outbox_put(struct turf_outbox *outbox, int socket, uint32_t type, const void *payload, uint32_t length);

/* Sends what the socket takes. Returns 0 or -errno. */
int turf_outbox_flush(struct turf_outbox *outbox, int socket);

/* Forgets everything: the daemon is gone. */
void turf_outbox_clear(struct turf_outbox *outbox);

#endif
