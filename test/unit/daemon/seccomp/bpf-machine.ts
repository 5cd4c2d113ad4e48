/** What a filter sees of a system call: struct seccomp_data without the instruction pointer. */
export interface SyscallData {
  readonly nr: number;
  /** AUDIT_ARCH_*. */
  readonly arch: number;
  readonly args?: readonly bigint[];
}

/** Runs a classic BPF program as the kernel does (the instructions that libseccomp makes) and returns the action. */
export function runFilter(bpf: Buffer, { nr, arch, args = [] }: SyscallData): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(nr >>> 0, 0);
  data.writeUInt32LE(arch >>> 0, 4);
  args.forEach((arg, i) => data.writeBigUInt64LE(arg, 16 + 8 * i));

  let accumulator = 0;
  for (let pc = 0; pc * 8 < bpf.length; pc++) {
    const code = bpf.readUInt16LE(pc * 8);
    const jumpTrue = bpf.readUInt8(pc * 8 + 2);
    const jumpFalse = bpf.readUInt8(pc * 8 + 3);
    const k = bpf.readUInt32LE(pc * 8 + 4);
    switch (code) {
      case 0x20:
        accumulator = data.readUInt32LE(k);
        break;
      case 0x54:
        accumulator = (accumulator & k) >>> 0;
        break;
      case 0x05:
        pc += k;
        break;
      case 0x15:
        pc += accumulator === k ? jumpTrue : jumpFalse;
        break;
      case 0x25:
        pc += accumulator > k ? jumpTrue : jumpFalse;
        break;
      case 0x35:
        pc += accumulator >= k ? jumpTrue : jumpFalse;
        break;
      case 0x45:
        pc += (accumulator & k) !== 0 ? jumpTrue : jumpFalse;
        break;
      case 0x06:
        return k;
      default:
        throw new Error(`instruction ${pc}: unknown code 0x${code.toString(16)}`);
    }
  }
  throw new Error('ran off the end');
}
