import koffi from 'koffi';

/** System calls that turf is built on. Their numbers are the same on every architecture (since 424). */
const PROBED = {
  fsopen: 430,
  pidfd_open: 434,
  clone3: 435,
  close_range: 436,
  openat2: 437,
  pidfd_getfd: 438,
  mount_setattr: 442,
} as const;

export type ProbedSyscall = keyof typeof PROBED;

/**
 * Asks the kernel for each call with arguments that it must refuse: ENOSYS says that the call does not exist (or that a seccomp
 * filter hides it).
 */
export function probeSyscalls(): Readonly<Record<ProbedSyscall, boolean>> {
  const libc = koffi.load('libc.so.6');
  const syscall = libc.func('long syscall(long number, long a, long b, long c, long d, long e)');
  const exists = (name: ProbedSyscall): boolean => {
    /* close_range: first > last; the others: bad descriptor, null pointer or size */
    const result = Number(
      name === 'close_range' ? syscall(PROBED[name], 1, 0, 0, 0, 0) : syscall(PROBED[name], -1, 0, -1, 0, 0),
    );
    return result >= 0 || koffi.errno() !== koffi.os.errno['ENOSYS'];
  };
  return {
    fsopen: exists('fsopen'),
    pidfd_open: exists('pidfd_open'),
    clone3: exists('clone3'),
    close_range: exists('close_range'),
    openat2: exists('openat2'),
    pidfd_getfd: exists('pidfd_getfd'),
    mount_setattr: exists('mount_setattr'),
  };
}

/** Version of libseccomp.so.2 as `2.5.4`; undefined where it is not installed. */
export function libseccompVersion(): string | undefined {
  try {
    const lib = koffi.load('libseccomp.so.2');
    const version = lib.func('const uint32_t *seccomp_version()');
    const [major = 0, minor = 0, micro = 0] = koffi.decode(version(), 'uint32_t', 3) as number[];
    return `${major}.${minor}.${micro}`;
  } catch {
    return undefined;
  }
}
