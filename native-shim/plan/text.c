#include "plan/text.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

int turf_text_append(char *text, size_t size, ...) {
  size_t used = strnlen(text, size);
  const char *part;
  int result = 0;
  va_list parts;

  va_start(parts, size);
  while ((part = va_arg(parts, const char *)) != NULL) {
    size_t length = strlen(part);
    if (length > size - 1 - used) {
      length = size - 1 - used;
      result = -ENAMETOOLONG;
    }
    memcpy(text + used, part, length);
    used += length;
    text[used] = 0;
  }
  va_end(parts);
  return result;
}

const char *turf_text_number(char digits[TURF_DIGITS], uint64_t value) {
  char reversed[TURF_DIGITS];
  size_t count = 0;

  do
    reversed[count++] = (char)('0' + value % 10);
  while ((value /= 10) > 0);
  for (size_t i = 0; i < count; i++)
    digits[i] = reversed[count - 1 - i];
  digits[count] = 0;
  return digits;
}
