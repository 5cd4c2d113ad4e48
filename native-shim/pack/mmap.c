/* mmap.c - libturf-pack.so, preloaded into seeds: packs the JavaScript heap.
 *
 * V8 asks for each 256 KiB piece of its heap at a random address of the whole user space, so that each piece needs page tables of
 * its own (up to three 4 KiB pages), which every clone copies and keeps. Without the hint the kernel places pieces side by
 * side below the stack, still at a base that is random for each process.
 */
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define PACK_EXPORT __attribute__((visibility("default")))

/* Code must stay within reach of relative calls into the executable: V8 reserves it with PROT_NONE near a hint, and such
 * reservations are few. */
static void *without_hint(void *address, size_t length, int flags)
{
  size_t largest_piece = 2u << 20;
  int fixed = MAP_FIXED | MAP_FIXED_NOREPLACE;
  return (flags & MAP_ANONYMOUS) != 0 && (flags & fixed) == 0 && length <= largest_piece ? NULL : address;
}

PACK_EXPORT void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset);
PACK_EXPORT void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset);

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
  return (void *)syscall(SYS_mmap, without_hint(address, length, flags), length, protection, flags, fd, offset);
}

void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset)
{
  return (void *)syscall(SYS_mmap, without_hint(address, length, flags), length, protection, flags, fd, offset);
}
