/* reader.h - a bounds-checked cursor over a launch plan. Async-signal-safe.
 *
 * A read past the end returns a zero or an empty string and sets `failed`, which stays set: check it once at the end.
 */
#ifndef TURF_PLAN_READER_H
#define TURF_PLAN_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct turf_reader {
  const unsigned char *at;
  const unsigned char *end;
  bool failed;
};

/* A string inside the plan: `bytes` is followed by a NUL that `length` does not count. */
struct turf_str {
  const char *bytes;
  uint32_t length;
};

/* A vector of strings; `items` is positioned on the first one. */
struct turf_strv {
  uint32_t count;
  struct turf_reader items;
};

uint16_t turf_read_u16(struct turf_reader *reader);
uint32_t turf_read_u32(struct turf_reader *reader);
uint64_t turf_read_u64(struct turf_reader *reader);
int32_t turf_read_i32(struct turf_reader *reader);

/* Reads a str that may hold any byte. */
struct turf_str turf_read_bytes(struct turf_reader *reader);

/* Reads a str that must not hold a NUL. */
const char *turf_read_str(struct turf_reader *reader);

struct turf_strv turf_read_strv(struct turf_reader *reader);

/* Skips `length` bytes and returns where they start, NULL when there are fewer. */
const unsigned char *turf_read_raw(struct turf_reader *reader, size_t length);

#endif
