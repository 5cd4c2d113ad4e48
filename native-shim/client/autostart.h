/* autostart.h - starts the daemon that should have been there. */
#ifndef TURF_CLIENT_AUTOSTART_H
#define TURF_CLIENT_AUTOSTART_H

#include <stddef.h>

/* Starts `turfd --root ROOT` from this program's directory, in a session of its own, its output appended to
 * <root>/turfd.log, and waits at most a minute for cli.sock to accept. Where many clients do this at once turfd's lock lets one
 * daemon live, and the others wait for that one. Returns the connection, or -errno with `problem` filled. */
int turf_client_autostart(const char *root, char *problem, size_t size);

#endif
