/* park_warmth.c - which pages a clone touches before its first answer, learnt from one clone, used by all others.
 *
 * A page fault costs a clone 0.5 us on bare metal and up to 20 us on a virtual machine whose host shadows its page tables; some 700 of them come
 * before the first answer. One madvise for each range costs a fraction.
 */
#include "lib/park.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"

/* mman-linux.h of older systems lacks them; Linux 5.14 */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

#define PAGE 4096ul
#define MAX_RANGES 4096u
#define BATCH 512

/* /proc/PID/pagemap, Documentation/admin-guide/mm/pagemap.rst */
#define PM_PRESENT (UINT64_C(1) << 63)
#define PM_FILE (UINT64_C(1) << 61)
#define PM_EXCLUSIVE (UINT64_C(1) << 56)

struct turf_park_range {
  unsigned long start, length;
  int advice;
};

/* What the clone did to a page that it shares with this process, 0 for nothing: a page that it wrote is mapped by itself alone. */
static int advice_for(uint64_t entry, int writable) {
  if ((entry & PM_PRESENT) == 0)
    return 0;
  if ((entry & PM_FILE) != 0)
    return MADV_POPULATE_READ;
  return writable && (entry & PM_EXCLUSIVE) != 0 ? MADV_POPULATE_WRITE : 0;
}

static void note(struct turf_park_warmth *warmth, unsigned long page, int advice) {
  struct turf_park_range *last = warmth->count > 0 ? &warmth->ranges[warmth->count - 1] : NULL;

  if (last != NULL && last->advice == advice && last->start + last->length == page)
    last->length += PAGE;
  else if (warmth->count < MAX_RANGES)
    warmth->ranges[warmth->count++] = (struct turf_park_range){.start = page, .length = PAGE, .advice = advice};
  else
    return;
  warmth->pages++;
}

static int learn_mapping(struct turf_park_warmth *warmth, int pagemap, unsigned long start, unsigned long end, int writable) {
  uint64_t entries[BATCH];

  while (start < end) {
    size_t wanted = (end - start) / PAGE < BATCH ? (end - start) / PAGE : BATCH;
    ssize_t got = pread(pagemap, entries, wanted * sizeof *entries, (off_t)(start / PAGE * sizeof *entries));

    if (got <= 0)
      return got < 0 ? -errno : -EIO;
    for (size_t i = 0; i < (size_t)got / sizeof *entries; i++, start += PAGE) {
      int advice = advice_for(entries[i], writable);

      if (advice != 0)
        note(warmth, start, advice);
    }
  }
  return 0;
}

int turf_park_learn(struct turf_park_warmth *warmth, pid_t pid) {
  char path[32], line[4352];
  cleanup_fd int pagemap = -1;
  FILE *maps;
  int r = 0;

  (void)snprintf(path, sizeof path, "/proc/%d/pagemap", (int)pid);
  pagemap = open(path, O_RDONLY | O_CLOEXEC);
  if (pagemap < 0)
    return -errno;
  warmth->ranges = mmap(NULL, MAX_RANGES * sizeof *warmth->ranges, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (warmth->ranges == MAP_FAILED) {
    warmth->ranges = NULL;
    return -ENOMEM;
  }
  /* this process's mappings: what the clone added is not there in the next one */
  maps = fopen("/proc/self/maps", "re");
  if (maps == NULL)
    return -errno;
  while (r == 0 && fgets(line, sizeof line, maps) != NULL) {
    unsigned long start, end;
    char access[5];

    if (sscanf(line, "%lx-%lx %4s", &start, &end, access) == 3 && access[0] == 'r' && access[3] == 'p')
      r = learn_mapping(warmth, pagemap, start, end, access[1] == 'w');
  }
  (void)fclose(maps);
  return r;
}

uint32_t turf_park_pages_within(const struct turf_park_warmth *warmth, unsigned long start, unsigned long end) {
  uint32_t pages = 0;

  for (uint32_t i = 0; i < warmth->count; i++) {
    const struct turf_park_range *range = &warmth->ranges[i];
    unsigned long from = range->start > start ? range->start : start;
    unsigned long to = range->start + range->length < end ? range->start + range->length : end;

    if (to > from)
      pages += (uint32_t)((to - from) / PAGE);
  }
  return pages;
}

void turf_park_forget_within(struct turf_park_warmth *warmth, unsigned long start, unsigned long end) {
  uint32_t kept = 0;

  for (uint32_t i = 0; i < warmth->count; i++) {
    struct turf_park_range range = warmth->ranges[i];

    if (range.start >= start && range.start + range.length <= end)
      warmth->pages -= (uint32_t)(range.length / PAGE);
    else
      warmth->ranges[kept++] = range;
  }
  warmth->count = kept;
}

void turf_park_forget(struct turf_park_warmth *warmth) {
  if (warmth->ranges != NULL)
    (void)munmap(warmth->ranges, MAX_RANGES * sizeof *warmth->ranges);
  *warmth = (struct turf_park_warmth){0};
}

void turf_park_warm_up(const struct turf_park_warmth *warmth) {
  for (uint32_t i = 0; i < warmth->count; i++) {
    const struct turf_park_range *range = &warmth->ranges[i];

    /* EINVAL: before Linux 5.14. Otherwise a page that cannot be had now faults when it is used. */
    if (madvise((void *)range->start, range->length, range->advice) < 0 && errno == EINVAL)
      return;
  }
}
