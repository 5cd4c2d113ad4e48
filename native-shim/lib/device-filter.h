/* device-filter.h - the device policy of a cgroup v2: an eBPF program attached to its directory.
 *
 * A program stays for as long as the cgroup lives; the daemon keeps no descriptor of it. Safe in a multithreaded process.
 */
#ifndef TURF_LIB_DEVICE_FILTER_H
#define TURF_LIB_DEVICE_FILTER_H

#include <stddef.h>
#include <stdint.h>

#define TURF_DEVICE_FILTER_EXPORT __attribute__((visibility("default")))

/* Loads `length` bytes of struct bpf_insn (BPF_PROG_TYPE_CGROUP_DEVICE, Linux 4.15) and attaches the program to the cgroup v2
 * directory `cgroup_fd` beside those of its ancestors (BPF_F_ALLOW_MULTI). 0 or -errno: -EINVAL also for a program that
 * the verifier refuses, -EPERM without CAP_SYS_ADMIN (or CAP_BPF and CAP_NET_ADMIN). */
TURF_DEVICE_FILTER_EXPORT int turf_device_filter_attach(int cgroup_fd, const uint8_t *insns, size_t length);

#endif
