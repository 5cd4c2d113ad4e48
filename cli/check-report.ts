export interface CheckItem {
  /** e.g. `cgroup.mode`, `namespace.user`, `seccomp`, `kernel.openat2`, `lsm.apparmor`, `node.single-threaded`. */
  readonly name: string;
  readonly ok: boolean;
  /** What was found. */
  readonly found: string;
  /** What of turf works, or does not work, without it; empty when ok. */
  readonly without: string;
}

export interface CheckReport {
  readonly ok: boolean;
  readonly items: readonly CheckItem[];
}
