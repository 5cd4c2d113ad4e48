/* signals.h - the client takes signals as data: blocked, read from a signalfd. */
#ifndef TURF_CLIENT_SIGNALS_H
#define TURF_CLIENT_SIGNALS_H

/* Blocks every signal that can be and returns a signalfd of all but SIGPIPE, or -errno. The launcher unblocks them in the child. */
int turf_signals_open(void);

/* The next signal, or 0 where none waits. */
int turf_signals_next(int signals);

/* Gives a signal the effect that it would have had unblocked. Returns only where it was ignored, or stopped and went on. */
void turf_signals_deliver(int number);

#endif
