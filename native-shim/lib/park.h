/* park.h - the fork point of a seed: a Node.js process that blocks in C and clones itself on request.
 *
 * docs/protocol.md, "Seed control connection". One thread calls, no other thread of the process may run meanwhile.
 */
#ifndef TURF_PARK_H
#define TURF_PARK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/frame.h"

#ifndef TURF_EXPORT
#define TURF_EXPORT __attribute__((visibility("default")))
#endif

/* Descriptors that a clone keeps beside 0-2: what its plan put at 200..215 by ADOPT_FD. A seed has none above 199, so
 * that the numbers which libuv still remembers from the seed can never name one of them. */
#define TURF_KEPT_FD_FIRST 200
#define TURF_KEPT_FD_LAST 215

#define TURF_PARK_EVENT_FDS 16

/* Longest control frame: smaller than a Unix socket's buffer, so that it arrives in one piece. */
#define TURF_CONTROL_LIMIT (160u * 1024u)

/* Makes every private mapping that is marked MADV_DONTFORK (V8's heap) part of a fork, takes shared writable ones out, and verifies that no other thread runs and that no
 * descriptor but `control_fd` and 0-2 is a socket. 0 or -errno, `message` says what is in the way.
 * -EBUSY: a thread runs, or a socket or a descriptor above 199 is open. */
TURF_EXPORT int turf_seed_prepare(int control_fd, char *message, uint32_t message_size);

/* A fork point, for as long as the process lives; NULL: no memory. */
struct turf_seed_point;
TURF_EXPORT struct turf_seed_point *turf_seed_point_new(void);

/* Prepares, then serves the listening socket `control_fd` until a fork request made this process a clone. Returns in
 * the clone only: the length of the `info` text that came with its plan, at the start of `buffer` (at least TURF_CONTROL_LIMIT + 8 bytes,
 * valid until turf_seed_resume).
 * A clone may park in its turn, at the same point. A failure (-errno, `message`) means that the process never parked. Signals SIGTERM, SIGINT, SIGHUP have
 * their default action while parked. */
TURF_EXPORT int turf_seed_park(struct turf_seed_point *point, int control_fd, uint8_t *buffer, uint32_t capacity, char *message,
                               uint32_t message_size);

/* In a clone that was made ahead (`info` has "ahead"): waits until somebody needs it. Returns the length of the `info` text. */
TURF_EXPORT int turf_seed_resume(struct turf_seed_point *point);

/* Ends the process at once: no exit handler, no destructor. Node's own way out joins threads that a clone does not have. */
TURF_EXPORT void turf_exit(int code) __attribute__((noreturn));

/* getpid(2): a clone's own, where process.pid still holds the seed's. */
TURF_EXPORT int turf_pid(void);

/* park_listener.c: a listening AF_UNIX socket on an abstract address of its own, for a seed that warms its HTTP path. The name without the leading NUL goes to
 * `name` (at least 108 bytes). Returns the descriptor or -errno. */
TURF_EXPORT int turf_seed_warm_listener(char *name, uint32_t size);

/* park_code.c: 0 or -errno, in which case the code runs on as it was. No other thread may run. */
int turf_park_code_to_huge_pages(void);

/* park_malloc.c: takes the free pieces of malloc's main heap, so that clones get theirs from its end. `taken` keeps them. No other thread may run. */
struct turf_park_piece;
void turf_park_settle_malloc(struct turf_park_piece **taken);

/* park_memory.c: 0, or -EBUSY when another thread of this process does not sleep within `patience_ms`. */
int turf_park_threads_sleep(int patience_ms);

/* This process's descriptors by number. */
struct turf_park_descriptors {
  ino_t inodes[TURF_KEPT_FD_FIRST]; /* 0 where none is open */
  int end; /* one more than the highest */
  int event_fds[TURF_PARK_EVENT_FDS];
  uint32_t event_fd_count;
};

/* park_memory.c: the descriptors below `end`; those below 200. -EMFILE for more event descriptors than TURF_PARK_EVENT_FDS. */
void turf_park_inodes(ino_t inodes[TURF_KEPT_FD_FIRST], int end);
int turf_park_descriptors(struct turf_park_descriptors *descriptors);

/* park_request.c: one whole control frame, waited for at most so many seconds, as header and payload in `buffer`. `frame` owns
 * the descriptors. 0 or -errno. */
int turf_park_receive(int connection, uint8_t *buffer, uint32_t capacity, struct turf_frame *frame, int seconds);

/* park_fork.c: fork(2) into new namespaces (CLONE_NEW*): 0 in the clone, which is nobody's child here; its pid, or -errno and *step, in
 * the seed. */
pid_t turf_park_fork(uint32_t namespaces, const char **step);

/* park_warmth.c: pages that every clone writes, or reads from files, before its first answer. */
struct turf_park_warmth {
  struct turf_park_range *ranges; /* NULL: nothing was learnt */
  uint32_t count;
  uint32_t pages;
};

#define TURF_PARK_LOCK_PIPE 2

/* park_clone.c: what a clone of a seed does before it returns to JavaScript. Ends the process on failure. */
struct turf_park_clone {
  int connection;
  struct turf_park_descriptors seed;
  int gate;               /* read end of a pipe: one byte once the seed has answered; end of file: the seed died */
  struct turf_frame frame; /* the request, then what the clone received last */
  uint8_t *buffer;          /* for whole frames; in the end it starts with the text for JavaScript */
  uint32_t capacity, info_length;
  int inherits; /* parks again */
  int waits; /* made ahead: the last plan is still to come */
  int lock[TURF_PARK_LOCK_PIPE]; /* libuv's */
  uint32_t lock_count;
  struct turf_park_warmth warmth;
  int (*rand_poll)(void); /* OpenSSL's, in the node binary */
  int (*rand_status)(void);
  int (*loop_fork)(void *loop);
  void *loop;
};
void turf_park_become_clone(struct turf_park_clone *clone);

/* park_clone.c: says that a clone which was made ahead is ready, waits for its last plan and runs it. */
void turf_park_follow_last_plan(struct turf_park_clone *clone);

/* park_clone.c: the same for a clone that is given no plan and answers one request on `listener`, which becomes descriptor
 * TURF_KEPT_FD_FIRST. */
void turf_park_become_rehearsal(struct turf_park_clone *clone, int listener);

/* park_rehearse.c: clones the seed once, has the clone answer a request of the shim's, and learns its warmth. Returns 1 in that clone,
 * 0 in the seed. A rehearsal that fails teaches nothing: clones only take longer. */
int turf_park_rehearse(struct turf_park_clone *clone);

/* Learns from `pid`, a clone of this process that has answered. 0 or -errno. */
int turf_park_learn(struct turf_park_warmth *warmth, pid_t pid);

/* How many pages between two addresses clones find ready; those ranges that lie wholly between them need not be made ready. */
uint32_t turf_park_pages_within(const struct turf_park_warmth *warmth, unsigned long start, unsigned long end);
void turf_park_forget_within(struct turf_park_warmth *warmth, unsigned long start, unsigned long end);

/* park_code.c: likewise for those constants of the engine that clones read, as was learnt. */
int turf_park_constants_to_huge_pages(struct turf_park_warmth *warmth);

/* In a clone that is to park itself: what it learns will be its own. */
void turf_park_forget(struct turf_park_warmth *warmth);

/* In a clone: has the kernel make ready, range by range, what would otherwise be a page fault for each page. */
void turf_park_warm_up(const struct turf_park_warmth *warmth);

#endif
