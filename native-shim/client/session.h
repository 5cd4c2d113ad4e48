/* session.h - one invocation, from the request that has been sent to the exit code. */
#ifndef TURF_CLIENT_SESSION_H
#define TURF_CLIENT_SESSION_H

#include <stdint.h>

/* Serves the daemon until it sends `X`, or, after the connection broke, until a foreground child has ended. Owns
 * `socket`. `tty_bits` as in frame `R`. Returns the exit code; says on stderr when the daemon went away. */
int turf_session_run(int socket, uint32_t tty_bits);

#endif
