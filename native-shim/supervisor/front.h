/* front.h - the process that a user or systemd started. It lives as long as the daemon does; the supervisor, its child, may
 * live longer, as the keeper of containers without a daemon.
 *
 * Messages on the socket between the two (SOCK_SEQPACKET), one byte of type:
 *   supervisor -> front   TURF_FRONT_READY   the daemon serves for the first time
 *                         TURF_FRONT_EXIT    and one byte: the daemon has gone for good, exit with this code
 *   front -> supervisor   TURF_FRONT_STOP    stop the daemon; end of file means the same
 */
#ifndef TURF_SUPERVISOR_FRONT_H
#define TURF_SUPERVISOR_FRONT_H

#define TURF_FRONT_READY 'Y'
#define TURF_FRONT_EXIT 'X'
#define TURF_FRONT_STOP 'T'

/* Relays signals to the supervisor and its news to the service manager. Returns the exit code. */
int turf_front_run(int supervisor);

#endif
