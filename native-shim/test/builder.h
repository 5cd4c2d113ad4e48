/* builder.h - writes launch plans for tests, independently of the daemon's encoder. */
#ifndef TURF_TEST_BUILDER_H
#define TURF_TEST_BUILDER_H

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "base/frame.h"
#include "plan/plan.h"

struct builder {
  unsigned char data[65536];
  size_t length;
  size_t op; /* where the open operation's length stands */
  uint32_t ops;
};

static inline void put32(struct builder *b, uint32_t value) {
  turf_put_u32(b->data + b->length, value);
  b->length += 4;
}

static inline void put64(struct builder *b, uint64_t value) {
  turf_put_u64(b->data + b->length, value);
  b->length += 8;
}

static inline void put_bytes(struct builder *b, const void *bytes, size_t length) {
  put32(b, (uint32_t)length);
  memcpy(b->data + b->length, bytes, length);
  b->length += length;
  b->data[b->length++] = 0;
}

static inline void put_str(struct builder *b, const char *text) {
  put_bytes(b, text, strlen(text));
}

static inline void begin(struct builder *b) {
  memset(b, 0, sizeof *b);
  put32(b, TURF_PLAN_MAGIC);
  put32(b, TURF_PLAN_VERSION);
  b->length = 20;
}

static inline void op_start(struct builder *b, uint32_t opcode) {
  put32(b, opcode);
  b->op = b->length;
  put32(b, 0);
  b->ops++;
}

/* Layout letters: u int, U uint64_t, s const char *, v list of const char * up to NULL. */
static inline void op(struct builder *b, uint32_t opcode, const char *layout, ...) {
  va_list values;

  op_start(b, opcode);
  va_start(values, layout);
  for (; *layout != 0; layout++) {
    if (*layout == 'u')
      put32(b, (uint32_t)va_arg(values, int));
    if (*layout == 'U')
      put64(b, va_arg(values, uint64_t));
    if (*layout == 's')
      put_str(b, va_arg(values, const char *));
    if (*layout == 'v') {
      size_t at = b->length;
      uint32_t count = 0;
      put32(b, 0);
      for (const char *text; (text = va_arg(values, const char *)) != NULL; count++)
        put_str(b, text);
      turf_put_u32(b->data + at, count);
    }
  }
  va_end(values);
  turf_put_u32(b->data + b->op, (uint32_t)(b->length - b->op - 4));
}

static inline void finish(struct builder *b, uint32_t fd_count) {
  turf_put_u32(b->data + 8, (uint32_t)b->length);
  turf_put_u32(b->data + 12, b->ops);
  turf_put_u32(b->data + 16, fd_count);
}

#endif
