/* decode-test - the plan decoder refuses what is malformed. TAP; prints a valid plan to argv[1] for the fuzzer's corpus. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "builder.h"

struct suite {
  int count, failed;
};

static void check(struct suite *s, int good, const char *promise) {
  printf("%s %d - %s\n", good ? "ok" : "not ok", ++s->count, promise);
  s->failed += !good;
}

/* Checks a copy that ends where its page-less heap block ends. */
static int decode(const struct builder *b, size_t length, uint32_t fd_count) {
  struct turf_plan plan = {.length = length, .fd_count = fd_count, .sync_fd = -1};
  struct turf_plan_error error = {0};
  unsigned char *copy = malloc(length + (length == 0));

  if (copy == NULL)
    exit(99);
  memcpy(copy, b->data, length);
  plan.data = copy;
  int result = turf_plan_check(&plan, &error);
  if (result != 0 && (error.op_index != UINT32_MAX || error.err != EINVAL || error.detail[0] == 0))
    result = 1;
  free(copy);
  return result;
}

static void sample(struct builder *b) {
  begin(b);
  op(b, TURF_OP_SYNC, "u", 1);
  op(b, TURF_OP_ROOTFS, "suU", "/root", 1, (uint64_t)0);
  op(b, TURF_OP_MOUNT_FS, "sssUUuussss", "tmpfs", "tmpfs", "/dev", (uint64_t)2, (uint64_t)0, 1, 2, "a", "b", "c", "");
  op(b, TURF_OP_HOOK, "svvuss", "/hook", "a", "b", NULL, "E=F", NULL, 1, "{@PID@}", "startContainer");
  op(b, TURF_OP_USER, "uuuuuu", 1, 1, 1, 2, 5, 6);
  op(b, TURF_OP_SECCOMP, "uus", 0, -1, "12345678");
  op(b, TURF_OP_EXEC, "vv", "sh", NULL, "PATH=/", NULL);
  finish(b, 2);
}

/* Every plan with one malformed property, and what it is. */
static void test_refusals(struct suite *s) {
  struct builder b;

  begin(&b), op(&b, TURF_OP_HOSTNAME, "s", "name"), b.data[b.length - 1] = 'x', finish(&b, 0);
  check(s, decode(&b, b.length, 0) == -EINVAL, "a string without NUL");
  begin(&b), op(&b, TURF_OP_HOSTNAME, "s", "name"), b.data[b.length - 3] = 0, finish(&b, 0);
  check(s, decode(&b, b.length, 0) == -EINVAL, "a string with a NUL inside");
  begin(&b), op(&b, TURF_OP_HOSTNAME, "us", 0x7fffffff, "n"), finish(&b, 0);
  check(s, decode(&b, b.length, 0) == -EINVAL, "a string longer than its operation");
  begin(&b), op(&b, TURF_OP_HOSTNAME, "u", -1), finish(&b, 0);
  check(s, decode(&b, b.length, 0) == -EINVAL, "a string of the greatest length");
  begin(&b), op(&b, TURF_OP_ENTER_CGROUP, "u", 2), finish(&b, 2);
  check(s, decode(&b, b.length, 2) == -EINVAL, "a descriptor beyond the last");
  begin(&b), op(&b, TURF_OP_ENTER_CGROUP, "u", -1), finish(&b, 2);
  check(s, decode(&b, b.length, 2) == -EINVAL, "no descriptor where one is needed");
  begin(&b), op(&b, TURF_OP_STDIO, "uuu", -1, -2, -1), finish(&b, 2);
  check(s, decode(&b, b.length, 2) == -EINVAL, "a negative descriptor");
  begin(&b), op(&b, TURF_OP_UMASK, "uu", 1, 2), finish(&b, 0);
  check(s, decode(&b, b.length, 0) == -EINVAL, "bytes after an operation's payload");
  begin(&b), op(&b, TURF_OP_EXEC, "vv", "a", NULL, NULL), op(&b, TURF_OP_SETSID, ""), finish(&b, 0);
  check(s, decode(&b, b.length, 0) == -EINVAL, "EXEC before the end");
  begin(&b), op(&b, TURF_OP_EXEC, "vv", NULL, NULL), finish(&b, 0);
  check(s, decode(&b, b.length, 0) == -EINVAL, "EXEC without arguments");
  begin(&b), op(&b, TURF_OP_SECCOMP, "uus", 0, -1, "1234567"), finish(&b, 0);
  check(s, decode(&b, b.length, 0) == -EINVAL, "a seccomp program of half an instruction");
  begin(&b), op(&b, TURF_OP_ADOPT_FD, "uu", 0, 2), finish(&b, 1);
  check(s, decode(&b, b.length, 1) == -EINVAL, "a descriptor given as standard error");
  begin(&b), op(&b, TURF_OP_TMPFS_COPY_UP, ""), finish(&b, 0);
  check(s, decode(&b, b.length, 0) == -EINVAL, "a reserved operation");
  begin(&b), op(&b, 999, ""), finish(&b, 0);
  check(s, decode(&b, b.length, 0) == -EINVAL, "an unknown operation");
  begin(&b), op(&b, TURF_OP_USER, "uuuu", 0, 0, 1, 0x40000001), finish(&b, 0);
  check(s, decode(&b, b.length, 0) == -EINVAL, "a list whose size overflows");
}

int main(int argc, char **argv) {
  struct suite s = {0};
  struct builder b;
  int refused = 1;

  sample(&b);
  check(&s, decode(&b, b.length, 2) == 0, "a valid plan is accepted");
  check(&s, decode(&b, b.length, 3) == -EINVAL, "a plan with another number of descriptors");
  for (size_t length = 0; length < b.length; length++) {
    if (length >= 12)
      turf_put_u32(b.data + 8, (uint32_t)length);
    refused &= decode(&b, length, 2) == -EINVAL;
  }
  check(&s, refused, "a plan cut at any byte is refused");
  sample(&b);
  for (size_t at = 0; at < b.length; at++)
    for (int bit = 0; bit < 8; bit++) {
      b.data[at] ^= (unsigned char)(1 << bit);
      refused &= decode(&b, b.length, 2) <= 0;
      b.data[at] ^= (unsigned char)(1 << bit);
    }
  check(&s, refused, "a plan with any bit turned is decoded without a fault");
  test_refusals(&s);
  printf("1..%d\n", s.count);
  if (argc > 1) {
    FILE *corpus = fopen(argv[1], "we");
    if (corpus != NULL) {
      fputc(2, corpus);
      fwrite(b.data, 1, b.length, corpus);
      fclose(corpus);
    }
  }
  return s.failed == 0 ? 0 : 1;
}
