/* seed-mounts.c PID PLACE... - what hostile code in the seed PID can do to its mounts. A place that ends with "*" may be written to.
 *
 * Prints one line for each attempt that succeeds, and `tried`.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mount.h>

#include "become-root-of.h"

int main(int argc, char **argv) {
  char path[64];

  if (argc < 3 || become_root_of(argv[1]) != 0)
    return 2;
  for (int i = 2; i < argc; i++) {
    char *end = argv[i] + strlen(argv[i]) - 1;
    int may_be_written = *end == '*';

    if (may_be_written)
      *end = '\0';
    if (umount2(argv[i], MNT_DETACH) == 0)
      printf("unmounted: %s\n", argv[i]);
    if (may_be_written)
      continue;
    if (mount(NULL, argv[i], NULL, MS_REMOUNT | MS_BIND, NULL) == 0)
      printf("writable: %s\n", argv[i]);
    (void)snprintf(path, sizeof path, "%s/attack", argv[i]);
    if (open(path, O_CREAT | O_WRONLY, 0600) >= 0)
      printf("written: %s\n", path);
  }
  puts("tried");
  return 0;
}
