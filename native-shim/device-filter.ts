import koffi from 'koffi';
import { checkResult, LIBTURF_PATH } from './libturf.js';

/**
 * Attaches a device program to a cgroup v2 directory.
 *
 * @param cgroupFd descriptor of the directory; stays the caller's
 * @param program array of struct bpf_insn, 8 bytes each
 * @throws KernelError
 */
export type AttachDeviceFilter = (cgroupFd: number, program: Uint8Array) => void;

/** Binds `turf_device_filter_attach` (native-shim/lib/device-filter.h). */
export function loadDeviceFilter(path: string = LIBTURF_PATH): AttachDeviceFilter {
  const attach = koffi
    .load(path)
    .func('int turf_device_filter_attach(int cgroup_fd, const uint8_t *insns, size_t length)');
  return (cgroupFd, program) => {
    checkResult('attach the device program', Number(attach(cgroupFd, program, program.length)));
  };
}
