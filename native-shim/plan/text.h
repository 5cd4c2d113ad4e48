/* text.h - building short texts where snprintf is not allowed (after fork in a threaded process). Async-signal-safe. */
#ifndef TURF_PLAN_TEXT_H
#define TURF_PLAN_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define TURF_DIGITS 21

/* Appends strings, up to a NULL, to the NUL-terminated `text` of `size` bytes. Returns 0, or -ENAMETOOLONG after cutting. */
__attribute__((sentinel)) int turf_text_append(char *text, size_t size, ...);

/* Writes `value` in decimal; returns `digits`. */
const char *turf_text_number(char digits[TURF_DIGITS], uint64_t value);

#endif
