/* terminal.h - the caller's terminal while a container with a terminal of its own runs in the foreground. */
#ifndef TURF_CLIENT_TERMINAL_H
#define TURF_CLIENT_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#define TURF_RELAY_BUFFER 4096

struct turf_terminal {
  int console; /* socket on which the master arrives, -1: none or done */
  int master;  /* -1: not there (any more) */
  int tty;     /* the caller's terminal: 0 or -1 */
  bool raw;    /* tty is in raw mode and `saved` holds what it was */
  struct termios saved;
  bool input_open;
  size_t pending_at, pending_end; /* input that the master has not taken yet */
  char *pending; /* TURF_RELAY_BUFFER bytes */
};

/* Starts to wait for the master on `console`, which becomes the terminal's. */
void turf_terminal_start(struct turf_terminal *terminal, int console, bool stdin_is_tty);

/* `console` is readable: takes the master, sets its size and puts the caller's terminal into raw mode. */
void turf_terminal_receive_master(struct turf_terminal *terminal);

/* Copies the caller's window size to the master. */
void turf_terminal_resize(const struct turf_terminal *terminal);

/* After SIGCONT: a shell may have changed the modes while this process was stopped. */
void turf_terminal_resume(struct turf_terminal *terminal);

/* stdin is readable: takes what there is. At its end the container's terminal gets an end-of-file character. */
void turf_terminal_read_input(struct turf_terminal *terminal);

/* The master has room: hands over what was read. */
void turf_terminal_write_input(struct turf_terminal *terminal);

/* The master is readable: copies to stdout what there is. Closes the master at its end. */
void turf_terminal_copy_output(struct turf_terminal *terminal);

/* The container's process has ended: copies the rest of its output and restores the caller's terminal. */
void turf_terminal_finish(struct turf_terminal *terminal);

/* Restores the caller's terminal. */
void turf_terminal_restore(struct turf_terminal *terminal);

#endif
