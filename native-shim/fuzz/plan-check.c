/* libFuzzer harness of the plan decoder. The first byte is the number of descriptors; lengths in the header are put right, so
 * that mutations reach the operations. */
#include <stdlib.h>
#include <string.h>

#include "base/frame.h"
#include "plan/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct turf_plan plan = {.sync_fd = -1};
  struct turf_plan_error error = {0};

  if (size < 1)
    return 0;
  plan.fd_count = data[0];
  plan.length = size - 1;
  /* a copy of exactly this size lets the sanitizer see a read beyond it */
  unsigned char *copy = malloc(plan.length + (plan.length == 0));
  if (copy == NULL)
    return 0;
  memcpy(copy, data + 1, plan.length);
  if (plan.length >= 20 && data[0] % 2 == 0) {
    turf_put_u32(copy, TURF_PLAN_MAGIC);
    turf_put_u32(copy + 4, TURF_PLAN_VERSION);
    turf_put_u32(copy + 8, (uint32_t)plan.length);
    turf_put_u32(copy + 16, plan.fd_count);
  }
  plan.data = copy;
  int result = turf_plan_check(&plan, &error);
  if (result != 0 && (error.err == 0 || error.detail[0] == 0))
    abort();
  free(copy);
  return 0;
}
