/* request.h - the first frame of the thin client channel: what was typed, where, and on which terminal. */
#ifndef TURF_CLIENT_REQUEST_H
#define TURF_CLIENT_REQUEST_H

#include <stdint.h>

/* Sends frame `R` with the arguments (argv without argv[0]), the directory, the environment that the daemon may see, and the
 * terminal. `tty_bits`: bit n is set where descriptor n is a terminal. Returns 0, -E2BIG or -errno. */
int turf_client_send_request(int socket, int argc, char *const argv[], char *const env[], uint32_t tty_bits);

#endif
