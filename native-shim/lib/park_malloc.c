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

struct turf_park_piece {
  struct turf_park_piece *next;
};

/* Where the unused end of the main heap starts, if it lies at the program break. */
static uintptr_t unused_end(void) {
  size_t unused = mallinfo2().keepcost;

  return (uintptr_t)sbrk(0) - unused;
}

/* Takes every free piece of at least `size` bytes before `top`. Memory from elsewhere lies above the program break. */
static void take(struct turf_park_piece **taken, size_t size, uintptr_t top) {
  struct turf_park_piece *piece;

  while ((piece = malloc(size)) != NULL && (uintptr_t)piece < top) {
    piece->next = *taken;
    *taken = piece;
  }
  free(piece);
}

/* Whether the next piece comes from there. Where the program break could not be moved, malloc goes on in a mapping, and what lies
 * before the break is in use. */
static int is_unused_end(uintptr_t top) {
  void *piece = malloc(LARGEST);
  int is = (uintptr_t)piece == top + STEP;

  free(piece);
  return is;
}

/* A page that was never written is cheaper to have than a copy. The first page holds the header of the unused end. */
static void drop_unused(void) {
  uintptr_t first, end;

  if (!is_unused_end(unused_end()))
    return;
  first = (unused_end() + 2 * PAGE) & ~(PAGE - 1);
  end = (uintptr_t)sbrk(0) & ~(PAGE - 1);
  if (end > first)
    (void)madvise((void *)first, end - first, MADV_DONTNEED);
}

void turf_park_settle_malloc(struct turf_park_piece **taken) {
  uintptr_t top = unused_end();

  for (size_t size = LARGEST; size >= STEP; size -= size > 2048 ? 1024 : STEP)
    take(taken, size - STEP / 2, top);
  drop_unused();
}
