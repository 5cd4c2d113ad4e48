#include "plan/reader.h"

#include <string.h>

#include "base/frame.h"

const unsigned char *turf_read_raw(struct turf_reader *reader, size_t length) {
  const unsigned char *start = reader->at;

  if (reader->failed || (size_t)(reader->end - start) < length) {
    reader->failed = true;
    return NULL;
  }
  reader->at = start + length;
  return start;
}

uint16_t turf_read_u16(struct turf_reader *reader) {
  const unsigned char *p = turf_read_raw(reader, 2);

  return p == NULL ? 0 : (uint16_t)(p[0] | p[1] << 8);
}

uint32_t turf_read_u32(struct turf_reader *reader) {
  const unsigned char *p = turf_read_raw(reader, 4);

  return p == NULL ? 0 : turf_get_u32(p);
}

int32_t turf_read_i32(struct turf_reader *reader) {
  return (int32_t)turf_read_u32(reader);
}

uint64_t turf_read_u64(struct turf_reader *reader) {
  const unsigned char *p = turf_read_raw(reader, 8);

  return p == NULL ? 0 : turf_get_u64(p);
}

struct turf_str turf_read_bytes(struct turf_reader *reader) {
  struct turf_str empty = {"", 0};
  uint32_t length = turf_read_u32(reader);
  const unsigned char *bytes = turf_read_raw(reader, (size_t)length + 1);

  if (bytes == NULL || bytes[length] != 0) {
    reader->failed = true;
    return empty;
  }
  return (struct turf_str){(const char *)bytes, length};
}

const char *turf_read_str(struct turf_reader *reader) {
  struct turf_str str = turf_read_bytes(reader);

  if (str.length > 0 && memchr(str.bytes, 0, str.length) != NULL) {
    reader->failed = true;
    return "";
  }
  return str.bytes;
}

struct turf_strv turf_read_strv(struct turf_reader *reader) {
  struct turf_strv vector = {.count = turf_read_u32(reader), .items = *reader};

  for (uint32_t i = 0; i < vector.count && !reader->failed; i++)
    (void)turf_read_str(reader);
  if (reader->failed)
    vector.count = 0;
  return vector;
}
