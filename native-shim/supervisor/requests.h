/* requests.h - what the daemon asks for on the supervisor channel. */
#ifndef TURF_SUPERVISOR_REQUESTS_H
#define TURF_SUPERVISOR_REQUESTS_H

#include "supervisor/supervisor.h"

/* The channel is readable: handles one frame, or closes it at its end. */
void turf_supervisor_read(struct turf_supervisor *supervisor);

/* The daemon has ended: handles what it had written before, but launches nothing. */
void turf_supervisor_drain(struct turf_supervisor *supervisor);

#endif
