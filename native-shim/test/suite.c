#include "suite.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

void check(struct suite *s, int good, const char *promise, const struct outcome *out) {
  s->count++;
  printf("%s %d - %s\n", good ? "ok" : "not ok", s->count, promise);
  if (good)
    return;
  s->failed++;
  printf("# ready %d err %d opcode %u detail %s status %x\n# output: %s\n", out->ready, out->err, out->opcode,
         out->detail, (unsigned)out->status, out->output);
}

void path_in(char *path, const struct suite *s, const char *name) {
  snprintf(path, 256, "%s/%s", s->root, name);
}

void make_root(struct suite *s) {
  const char *directories[] = {"bin", "proc", "dev", "etc", "tmp", "masked", "long", "copy", "sys"};
  char path[256], command[1024];

  strcpy(s->root, "/tmp/plan-test-XXXXXX");
  if (mkdtemp(s->root) == NULL)
    exit(99);
  (void)chmod(s->root, 0755);
  for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
    path_in(path, s, directories[i]);
    (void)mkdir(path, 0755);
  }
  snprintf(command, sizeof command,
           "cp /bin/busybox %s/bin/ && for a in sh cat id ls mount grep touch hostname ifconfig stat tty readlink; do ln -s "
           "busybox %s/bin/$a; done; echo secret >%s/masked/file; echo kept >%s/copy/file; mkdir %s/copy/sub; ln -s /tmp "
           "%s/link; ln -s /nowhere %s/dangling; touch %s/bin/plain",
           s->root, s->root, s->root, s->root, s->root, s->root, s->root, s->root);
  if (system(command) != 0)
    exit(99);
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *place) {
  (void)facts, (void)kind, (void)place;
  return remove(path);
}

void base_mounts(struct builder *b, const struct suite *s) {
  begin(b);
  op(b, TURF_OP_SYNC, "u", 1);
  op(b, TURF_OP_PROPAGATION, "Uu", (uint64_t)MS_SLAVE, 1);
  op(b, TURF_OP_ROOTFS, "suU", s->root, -1, NO_U64);
  op(b, TURF_OP_MOUNT_FS, "sssUUuu", "proc", "proc", "/proc", UINT64_C(14), NO_U64, 1, 0);
  op(b, TURF_OP_MOUNT_FS, "sssUUuussss", "tmpfs", "tmpfs", "/dev", UINT64_C(2), NO_U64, 1, 2, "mode", "755", "size", "1m");
  op(b, TURF_OP_MOUNT_FS, "sssUUuussssss", "devpts", "devpts", "/dev/pts", UINT64_C(10), NO_U64, 1, 3, "newinstance", "",
     "ptmxmode", "0666", "mode", "0620");
}

void end(struct builder *b, const char *script) {
  op(b, TURF_OP_CHDIR, "su", "/", 0);
  op(b, TURF_OP_FIND_PROGRAM, "ss", "sh", "/sbin:/bin");
  op(b, TURF_OP_WAIT_START, "u", 0);
  op(b, TURF_OP_EXEC, "vv", "sh", "-c", script, NULL, "PATH=/bin", NULL);
}

int clean(const struct outcome *out) {
  return out->ready && out->err == 0 && out->status == 0;
}

void remove_root(struct suite *s) {
  (void)nftw(s->root, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
