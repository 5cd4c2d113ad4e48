/** Numbers of native-shim/plan/plan.h; test/unit/daemon/plan/opcodes.test.ts compares them with the header. */
export const PLAN_MAGIC = 0x4e4c5054;
export const PLAN_VERSION = 1;
export const PLAN_MAX_FDS = 200;

export const OP = {
  JOIN_NAMESPACE: 1,
  ENTER_CGROUP: 2,
  UNSHARE: 3,
  SYNC: 4,
  BECOME_ROOT: 5,
  HOSTNAME: 6,
  DOMAINNAME: 7,
  LOOPBACK_UP: 8,
  PROPAGATION: 9,
  ROOTFS: 10,
  MOUNT_FS: 11,
  MOUNT_BIND: 12,
  MOUNT_SETATTR: 13,
  MKNOD: 14,
  SYMLINK: 15,
  CONSOLE: 16,
  HOOK: 17,
  PIVOT_ROOT: 18,
  MASK_PATH: 19,
  READONLY_PATH: 20,
  SYSCTL: 21,
  RLIMIT: 22,
  WRITE_PROC_SELF: 23,
  DROP_BOUNDING: 24,
  USER: 25,
  CAPABILITIES: 26,
  NO_NEW_PRIVS: 27,
  SECCOMP: 28,
  UMASK: 29,
  SETSID: 30,
  CHDIR: 31,
  FIND_PROGRAM: 32,
  WAIT_START: 33,
  EXEC: 34,
  CLOSE_FDS: 35,
  STDIO: 36,
  PERSONALITY: 37,
  TMPFS_COPY_UP: 38,
  ADOPT_FD: 39,
  SESSION_KEYRING: 40,
  SCHEDULER: 41,
  IO_PRIORITY: 42,
  MEMORY_POLICY: 43,
  TIME_NAMESPACE: 44,
  SECCOMP_STATE: 45,
  SPAWN: 50,
  CPU_AFFINITY: 51,
  STAND_IN: 48,
  BORROW_MOUNTS: 60,
  RECONFIGURE: 90,
} as const;

/** Flags of MOUNT_FS and MOUNT_BIND. */
export const MOUNT_FLAG = {
  CREATE_DIR: 1,
  CREATE_FILE: 2,
  RECURSIVE: 4,
  COPY_UP: 8,
  CREATE_LIKE: 16,
} as const;

/** Flags of CONSOLE. */
export const CONSOLE_FLAG = { BIND: 1, LATER: 2 } as const;

/** What PIVOT_ROOT does. */
export const PIVOT_MODE = { PIVOT: 0, MOVE: 1, CHROOT: 2 } as const;

/** MS_REC of sys/mount.h: a propagation that goes for the whole tree. */
export const MS_REC = 0x4000;

/** File types of MKNOD's mode (sys/stat.h). */
export const S_IF = { FIFO: 0o010000, CHR: 0o020000, BLK: 0o060000 } as const;
