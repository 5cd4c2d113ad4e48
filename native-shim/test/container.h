/* container.h - runs turf-init with a plan, and plays the daemon. */
#ifndef TURF_TEST_CONTAINER_H
#define TURF_TEST_CONTAINER_H

#include "builder.h"

struct outcome {
  int ready;           /* K came */
  int err;             /* of an E frame, 0: none came */
  uint32_t opcode;     /* of the E frame */
  char detail[600];    /* of the E frame */
  int status;          /* as waitpid gives it */
  char output[16384];  /* what the container wrote to stdout and stderr */
};

/* Runs `plan` under `clone_flags` with plan descriptor 0 = the listening start socket and `extra` (-1: none) as 1. */
void run_container(const char *init, struct builder *plan, uint64_t clone_flags, int extra, struct outcome *out);

/* Takes one descriptor and its text from a socket that has them already; -1 without. */
int receive_fd(int socket, char text[32]);

#endif
