/* park_code.c - the engine's machine code on huge pages.
 *
 * A fork does not copy the page tables of file mappings: each clone would fault the engine's code in again, 64 KiB at a time, some 170
 * faults before its first answer. Anonymous huge pages are inherited ready to run. Costs a seed the size of the code (24 MB
 * with Node 20), its clones nothing.
 */
#include "lib/park.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE ((unsigned long)2 << 20)

/* Whether this function lies in the range: code must not be replaced under itself. */
static int holds_own_code(unsigned long start, unsigned long end) {
  unsigned long here = (unsigned long)&turf_park_code_to_huge_pages;

  return here >= start && here < end;
}

/* Puts a copy in place of whole huge pages of one mapping. No other thread may run. A failure leaves the mapping as it was. */
static int replace(unsigned long start, unsigned long end) {
  unsigned long first = (start + HUGE - 1) & ~(HUGE - 1), last = end & ~(HUGE - 1);
  size_t length = last - first;
  char *area, *copy;
  int r = 0;

  if (last <= first || holds_own_code(start, end))
    return 0;
  area = mmap(NULL, length + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (area == MAP_FAILED)
    return -errno;
  copy = (char *)(((unsigned long)area + HUGE - 1) & ~(HUGE - 1));
  if (madvise(copy, length, MADV_HUGEPAGE) < 0)
    r = -errno;
  if (r == 0) {
    memcpy(copy, (const void *)first, length);
    if (mprotect(copy, length, PROT_READ | PROT_EXEC) < 0 ||
        mremap(copy, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)first) == MAP_FAILED)
      r = -errno;
  }
  (void)munmap(area, length + HUGE);
  return r;
}

int turf_park_code_to_huge_pages(void) {
  char line[4352], engine[4096];
  ssize_t length = readlink("/proc/self/exe", engine, sizeof engine - 1);
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

    if (sscanf(line, "%lx-%lx %4s", &start, &end, access) != 3 || strcmp(access, "r-xp") != 0 || path == NULL)
      continue;
    if (strncmp(path, engine, (size_t)length) == 0 && path[length] == '\n')
      r = replace(start, end);
  }
  (void)fclose(maps);
  return r;
}
