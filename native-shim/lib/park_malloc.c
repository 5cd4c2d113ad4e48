/* park_malloc.c - the seed's free memory, out of the way of its clones.
 *
 * What a seed has freed lies scattered among what it holds: a clone that gets memory of it copies a page for each small piece. Taken and
 * kept by the seed it is nobody's, and a clone's memory comes from the end of the heap, piece after piece.
 */
#include "lib/park.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096ul
/* below glibc's threshold for mappings of their own, M_MMAP_THRESHOLD */
#define LARGEST 65536ul
/* of a piece's header, and of the steps between sizes */
#define STEP 16ul
/* more than a main heap has */
#define MOST (1ul << 30)

struct turf_park_piece {
  struct turf_park_piece *next;
};

/* Where the unused end of the main heap starts. */
static uintptr_t unused_end(void) {
  size_t unused = mallinfo2().keepcost;

  return (uintptr_t)sbrk(0) - unused;
}

/* Whether this thread's memory comes from the main heap. */
static int uses_main_heap(uintptr_t top) {
  void *probe = malloc(LARGEST);
  int within = (uintptr_t)probe < (uintptr_t)sbrk(0) && (uintptr_t)probe + MOST > top;

  free(probe);
  return within;
}

/* Takes every free piece of at least `size` bytes before `top`. */
static void take(struct turf_park_piece **taken, size_t size, uintptr_t top) {
  struct turf_park_piece *piece;

  while ((piece = malloc(size)) != NULL && (uintptr_t)piece < top) {
    piece->next = *taken;
    *taken = piece;
  }
  free(piece);
}

/* A page that was never written is cheaper to have than a copy. The first page holds the header of the unused end. */
static void drop_unused(void) {
  uintptr_t first = (unused_end() + 2 * PAGE) & ~(PAGE - 1), end = (uintptr_t)sbrk(0) & ~(PAGE - 1);

  if (end > first)
    (void)madvise((void *)first, end - first, MADV_DONTNEED);
}

void turf_park_settle_malloc(struct turf_park_piece **taken) {
  uintptr_t top = unused_end();

  if (!uses_main_heap(top))
    return;
  for (size_t size = LARGEST; size >= STEP; size -= size > 2048 ? 1024 : STEP)
    take(taken, size - STEP / 2, top);
  drop_unused();
}
