/* connect.h - the connection to a daemon's <root>/cli.sock. */
#ifndef TURF_CLIENT_CONNECT_H
#define TURF_CLIENT_CONNECT_H

/* Connects; paths may be longer than sun_path. Returns a descriptor or -errno: -ENOENT and -ECONNREFUSED mean that no
 * daemon runs. */
int turf_client_connect(const char *root);

#endif
