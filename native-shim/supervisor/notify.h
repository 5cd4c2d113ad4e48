/* notify.h - sd_notify(3) without libsystemd. */
#ifndef TURF_SUPERVISOR_NOTIFY_H
#define TURF_SUPERVISOR_NOTIFY_H

/* Sends `state` (lines of "KEY=value") to $NOTIFY_SOCKET, a path or "@name" of an abstract socket. Does nothing where it is not set. */
void turf_notify(const char *state);

#endif
