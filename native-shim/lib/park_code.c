/* park_code.c - the engine's machine code, and what clones read of its constants, on huge pages.
 *
 * A fork does not copy the page tables of file mappings: each clone would fault the engine's code in again, 64 KiB at a time, some 170
 * faults before its first answer, and 50 for constants. Anonymous huge pages are inherited ready to run. Costs a seed the size of the code and of
 * the constants in use (24 and 8 MB with Node 20), its clones nothing.
 */
#include "lib/park.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE ((unsigned long)2 << 20)
/* a fault maps 16 pages around: two that are apart */
#define WORTH_PAGES 32u

/* Whether this function lies in the range: code must not be replaced under itself. */
static int holds_own_code(unsigned long start, unsigned long end) {
  unsigned long here = (unsigned long)&turf_park_code_to_huge_pages;

  return here >= start && here < end;
}

/* Puts a copy in place of whole huge pages, of which `from` to `end` is mapped. No other thread may run. A failure leaves the mapping as it was. */
static int replace(unsigned long first, unsigned long last, unsigned long from, int protection) {
  size_t length = last - first;
  char *area, *copy;
  int r = 0;

  area = mmap(NULL, length + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (area == MAP_FAILED)
    return -errno;
  copy = (char *)(((unsigned long)area + HUGE - 1) & ~(HUGE - 1));
  if (madvise(copy, length, MADV_HUGEPAGE) < 0)
    r = -errno;
  if (r == 0) {
    memcpy(copy + (from - first), (const void *)from, last - from);
    if (mprotect(copy, length, protection) < 0 ||
        mremap(copy, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)first) == MAP_FAILED)
      r = -errno;
  }
  (void)munmap(area, length + HUGE);
  return r;
}

static int replace_code(unsigned long start, unsigned long end) {
  unsigned long first = (start + HUGE - 1) & ~(HUGE - 1), last = end & ~(HUGE - 1);

  return last <= first || holds_own_code(start, end) ? 0 : replace(first, last, first, PROT_READ | PROT_EXEC);
}

/* Whether the start of a huge page, before a mapping that begins within it, is free. It then is this mapping's. */
static int take_gap(unsigned long first, unsigned long start) {
  void *gap = (void *)first;

  if (first == start)
    return 1;
  return mmap(gap, start - first, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == gap;
}

/* Those huge pages of constants that clones read. */
static int replace_constants(struct turf_park_warmth *warmth, unsigned long start, unsigned long end) {
  int r = 0;

  for (unsigned long first = start & ~(HUGE - 1); r == 0 && first + HUGE <= end; first += HUGE) {
    unsigned long from = first < start ? start : first;

    if (turf_park_pages_within(warmth, from, first + HUGE) < WORTH_PAGES || !take_gap(first, from))
      continue;
    r = replace(first, first + HUGE, from, PROT_READ);
    if (r == 0)
      turf_park_forget_within(warmth, from, first + HUGE);
  }
  return r;
}

/* `warmth`: NULL for code, otherwise for constants. */
static int to_huge_pages(struct turf_park_warmth *warmth) {
  char line[4352], engine[4096];
  ssize_t length = readlink("/proc/self/exe", engine, sizeof engine - 1);
  const char *wanted = warmth == NULL ? "r-xp" : "r--p";
  FILE *maps;
  int r = 0;

  if (length < 0)
    return -errno;
  engine[length] = '\0';
  maps = fopen("/proc/self/maps", "re");
  if (maps == NULL)
    return -errno;
  while (r == 0 && fgets(line, sizeof line, maps) != NULL) {
    const char *path = strchr(line, '/');
    unsigned long start, end;
    char access[5];

    if (sscanf(line, "%lx-%lx %4s", &start, &end, access) != 3 || strcmp(access, wanted) != 0 || path == NULL)
      continue;
    if (strncmp(path, engine, (size_t)length) == 0 && path[length] == '\n')
      r = warmth == NULL ? replace_code(start, end) : replace_constants(warmth, start, end);
  }
  (void)fclose(maps);
  return r;
}

int turf_park_code_to_huge_pages(void) {
  return to_huge_pages(NULL);
}

int turf_park_constants_to_huge_pages(struct turf_park_warmth *warmth) {
  return to_huge_pages(warmth);
}
