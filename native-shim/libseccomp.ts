import { closeSync, fstatSync, readSync } from 'node:fs';
import koffi from 'koffi';
import { errnoNames } from './errno.js';

/** SCMP_ACT_* of seccomp(3); ERRNO and TRACE carry 16 bits of data. */
export const SCMP_ACT = {
  KILL_THREAD: 0x00000000,
  TRAP: 0x00030000,
  ERRNO: 0x00050000,
  NOTIFY: 0x7fc00000,
  TRACE: 0x7ff00000,
  LOG: 0x7ffc0000,
  ALLOW: 0x7fff0000,
  KILL_PROCESS: 0x80000000,
} as const;

/** enum scmp_compare. */
export const SCMP_CMP = { NE: 1, LT: 2, LE: 3, EQ: 4, GE: 5, GT: 6, MASKED_EQ: 7 } as const;

/** One condition of a rule, as struct scmp_arg_cmp: for MASKED_EQ `a` is the mask and `b` the value. */
export interface ArgumentCheck {
  readonly index: number;
  readonly op: number;
  readonly a: bigint;
  readonly b: bigint;
}

/** A filter under construction. Every method throws LibseccompError. */
export interface SeccompFilter {
  hasArch(token: number): boolean;
  addArch(token: number): void;
  /** All checks must match. A rule that is there already is no error. */
  addRule(action: number, syscall: number, checks: readonly ArgumentCheck[]): void;
  /** The program as struct sock_filter[]. */
  exportBpf(): Buffer;
  release(): void;
}

export interface Libseccomp {
  /** `major.minor.micro` */
  readonly version: string;
  readonly nativeArch: number;
  /** Token of an architecture in libseccomp's spelling (`x86_64`), or undefined if this version does not know it. */
  archToken(name: string): number | undefined;
  /**
   * Number of a system call on the native architecture, negative (below -1) for one that only others have; undefined if this
   * version knows no such name.
   */
  syscallNumber(name: string): number | undefined;
  /** Number on one architecture; undefined where it does not exist. */
  syscallNumberOn(arch: number, name: string): number | undefined;
  newFilter(defaultAction: number): SeccompFilter;
}

export class LibseccompError extends Error {
  override readonly name = 'LibseccompError';
  /** Positive errno, 0 where there is none. */
  readonly errno: number;

  constructor(message: string, errno: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.errno = errno;
  }
}

const EEXIST = 17;
const ARG_CMP_LENGTH = 24;
const MFD_CLOEXEC = 1;

/**
 * Binds libseccomp 2.4 or newer. The filter is read back from a memfd: `seccomp_export_bpf_mem` came with 2.6 only.
 *
 * @throws LibseccompError if the library is not installed
 */
export function loadLibseccomp(path = 'libseccomp.so.2'): Libseccomp {
  const lib = open(path);
  const number = (prototype: string): ((...args: unknown[]) => number) => {
    const native = lib.func(prototype);
    return (...args) => Number(native(...args));
  };
  const memfdCreate = koffi.load('libc.so.6').func('int memfd_create(const char *name, unsigned int flags)');
  const version = lib.func('const uint32_t *seccomp_version()');
  const archNative = number('uint32_t seccomp_arch_native()');
  const archResolve = number('uint32_t seccomp_arch_resolve_name(const char *name)');
  const archExist = number('int seccomp_arch_exist(void *ctx, uint32_t token)');
  const archAdd = number('int seccomp_arch_add(void *ctx, uint32_t token)');
  const resolve = number('int seccomp_syscall_resolve_name(const char *name)');
  const resolveArch = number('int seccomp_syscall_resolve_name_arch(uint32_t token, const char *name)');
  const init = lib.func('void *seccomp_init(uint32_t action)');
  const release = lib.func('void seccomp_release(void *ctx)');
  const ruleAdd = number(
    'int seccomp_rule_add_array(void *ctx, uint32_t action, int syscall, unsigned int count, const uint8_t *checks)',
  );
  const exportBpf = number('int seccomp_export_bpf(void *ctx, int fd)');

  return {
    version: decodeVersion(version()),
    nativeArch: archNative(),
    archToken: (name) => archResolve(name) || undefined,
    syscallNumber(name) {
      const found = resolve(name);
      return found === -1 ? undefined : found;
    },
    syscallNumberOn(arch, name) {
      const found = resolveArch(arch, name);
      return found < 0 ? undefined : found;
    },
    newFilter(defaultAction) {
      const context: unknown = init(defaultAction);
      if (context === null) throw new LibseccompError('seccomp_init: invalid default action', 0);
      return {
        hasArch: (token) => archExist(context, token) === 0,
        addArch(token) {
          check('seccomp_arch_add', archAdd(context, token));
        },
        addRule(action, syscall, checks) {
          const result = ruleAdd(context, action, syscall, checks.length, encodeChecks(checks));
          if (result !== -EEXIST) check('seccomp_rule_add_array', result);
        },
        exportBpf() {
          const fd = Number(memfdCreate('turf-seccomp', MFD_CLOEXEC));
          if (fd < 0) throw new LibseccompError('memfd_create failed', koffi.errno());
          try {
            check('seccomp_export_bpf', exportBpf(context, fd));
            const bpf = Buffer.alloc(fstatSync(fd).size);
            readSync(fd, bpf, 0, bpf.length, 0);
            return bpf;
          } finally {
            closeSync(fd);
          }
        },
        release() {
          release(context);
        },
      };
    },
  };
}

function open(path: string): ReturnType<typeof koffi.load> {
  try {
    return koffi.load(path);
  } catch (cause) {
    throw new LibseccompError(`${path} cannot be loaded: install the Debian package libseccomp2`, 0, cause);
  }
}

function check(operation: string, result: number): void {
  if (result >= 0) return;
  const text = errnoNames(-result)[1];
  throw new LibseccompError(`${operation}: ${text}`, -result);
}

function encodeChecks(checks: readonly ArgumentCheck[]): Buffer {
  const bytes = Buffer.alloc(ARG_CMP_LENGTH * checks.length);
  checks.forEach(({ index, op, a, b }, i) => {
    const at = i * ARG_CMP_LENGTH;
    bytes.writeUInt32LE(index, at);
    bytes.writeUInt32LE(op, at + 4);
    bytes.writeBigUInt64LE(a, at + 8);
    bytes.writeBigUInt64LE(b, at + 16);
  });
  return bytes;
}

function decodeVersion(pointer: unknown): string {
  const parts: unknown = koffi.decode(pointer, koffi.array('uint32_t', 3, 'Array'));
  return Array.isArray(parts) ? parts.map(String).join('.') : 'unknown';
}
