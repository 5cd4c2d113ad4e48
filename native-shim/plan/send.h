/* send.h - one descriptor with a plain text, as console and seccomp sockets expect it (no frame). Async-signal-safe. */
#ifndef TURF_PLAN_SEND_H
#define TURF_PLAN_SEND_H

/* Sends `fd` with `text` on the connected Unix socket. 0 or -errno. */
int turf_send_fd(int socket, int fd, const char *text);

#endif
