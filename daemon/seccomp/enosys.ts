import { SCMP_ACT } from '../../native-shim/libseccomp.js';

const LD_W_ABS = 0x20;
const JMP_JEQ_K = 0x15;
const JMP_JGT_K = 0x25;
const JMP_JGE_K = 0x35;
const RET_K = 0x06;

/** Offsets in struct seccomp_data. */
const DATA_NR = 0;
const DATA_ARCH = 4;

const ENOSYS = 38;
/** Numbers from here on are the x32 ABI's, under the architecture of x86_64: the filter itself decides about them. */
const X32_BIT = 0x40000000;

/** The highest system call number that a profile names, for one architecture (AUDIT_ARCH_* as libseccomp's token). */
export interface HighestSyscall {
  readonly arch: number;
  readonly number: number;
}

/**
 * Instructions to put before a filter: a system call newer than every one that the profile names answers ENOSYS.
 *
 * A C library tries new calls and falls back on ENOSYS only; a profile (or a libseccomp) that is older than the call would say
 * EPERM, and programs fail on it.
 */
export function enosysPrefix(highest: readonly HighestSyscall[]): Buffer {
  const code: number[][] = [];
  for (const { arch, number } of highest) {
    code.push(
      [LD_W_ABS, 0, 0, DATA_ARCH],
      [JMP_JEQ_K, 0, 4, arch],
      [LD_W_ABS, 0, 0, DATA_NR],
      [JMP_JGE_K, 2, 0, X32_BIT],
      [JMP_JGT_K, 0, 1, number],
      [RET_K, 0, 0, SCMP_ACT.ERRNO + ENOSYS],
    );
  }
  const bytes = Buffer.alloc(code.length * 8);
  code.forEach(([op = 0, jt = 0, jf = 0, k = 0], i) => {
    bytes.writeUInt16LE(op, i * 8);
    bytes.writeUInt8(jt, i * 8 + 2);
    bytes.writeUInt8(jf, i * 8 + 3);
    bytes.writeUInt32LE(k, i * 8 + 4);
  });
  return bytes;
}
