/* device-filter.c - see device-filter.h. */
#include "lib/device-filter.h"

#include <linux/bpf.h>

#include "base/cleanup.h"
#include "base/syscalls.h"

static long bpf(int command, union bpf_attr *attr) {
  return turf_result(syscall(SYS_bpf, command, attr, sizeof *attr));
}

int turf_device_filter_attach(int cgroup_fd, const uint8_t *insns, size_t length) {
  static const char license[] = "Apache-2.0";
  cleanup_fd int program = -1;
  union bpf_attr load = {0};
  union bpf_attr attach = {0};

  if (length == 0 || length % sizeof(struct bpf_insn) != 0)
    return -EINVAL;
  load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  load.insns = (uint64_t)(uintptr_t)insns;
  load.insn_cnt = (uint32_t)(length / sizeof(struct bpf_insn));
  load.license = (uint64_t)(uintptr_t)license;
  /* the verifier gives up with EAGAIN when a signal is pending */
  for (int tries = 0; tries < 5; tries++) {
    program = (int)bpf(BPF_PROG_LOAD, &load);
    if (program != -EAGAIN)
      break;
  }
  if (program < 0)
    return program;
  attach.target_fd = (uint32_t)cgroup_fd;
  attach.attach_bpf_fd = (uint32_t)program;
  attach.attach_type = BPF_CGROUP_DEVICE;
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  return (int)bpf(BPF_PROG_ATTACH, &attach);
}
