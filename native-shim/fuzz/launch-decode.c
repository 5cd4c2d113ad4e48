/* libFuzzer harness of the launch request that client and supervisor execute. Byte 0 is the number of descriptors, bytes 1 to 20 are the
 * header of the plan that came with them, the rest is the request. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/frame.h"
#include "launch/launch.h"
#include "plan/plan.h"

#define HEADER 20
#define REQUEST 48

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int plan_file(const uint8_t *header) {
  static int file = -1;

  if (file < 0)
    file = memfd_create("plan", MFD_CLOEXEC);
  if (file < 0 || pwrite(file, header, HEADER, 0) != HEADER)
    abort();
  return file;
}

static void check(const struct turf_launch *launch, uint32_t fd_count) {
  if (launch->plan_fd_count > fd_count - 3 || launch->preserve_fds > TURF_LAUNCH_MAX_PRESERVED)
    abort();
  for (uint32_t i = 0; i < launch->plan_fd_count; i++)
    if (launch->plan_fds[i] < 0)
      abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct turf_launch launch;

  if (size < 1 + HEADER)
    return 0;
  uint32_t fd_count = data[0] <= TURF_FRAME_MAX_FDS ? data[0] : TURF_FRAME_MAX_FDS;
  size_t length = size - 1 - HEADER;
  int *fds = malloc((fd_count + 1) * sizeof *fds);
  unsigned char *request = malloc(length + 1);
  if (fds == NULL || request == NULL)
    abort();
  for (uint32_t i = 0; i < fd_count; i++)
    fds[i] = plan_file(data + 1);
  memcpy(request, data + 1 + HEADER, length);
  /* a right count of descriptors, so that mutations reach the rest */
  if (length == REQUEST && (data[0] & 1) != 0)
    turf_put_u32(request + 44, fd_count);
  if (turf_launch_decode(request, (uint32_t)length, fds, fd_count, &launch) == 0)
    check(&launch, fd_count);
  free(request);
  free(fds);
  return 0;
}
