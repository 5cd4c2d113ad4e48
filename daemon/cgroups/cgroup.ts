import type { OciResources } from '../../oci-spec/config.js';
import type { CgroupFacts } from './facts.js';
import type { CgroupStats } from './stats.js';

/** Descriptors with which a new process enters a cgroup by itself. The caller owns and closes all of them. */
export interface CgroupEntry {
  /** v1 `tasks` files open for writing, one per hierarchy: the process writes "0" to each. */
  readonly tasksFds: readonly number[];
  /** The v2 directory, for CLONE_INTO_CGROUP. */
  readonly cgroupFd?: number;
}

/** Restores the limits from before an update. Rejects with TurfError TURF_ERR_CGROUP where that is not possible. */
export type UndoUpdate = () => Promise<void>;

/** The cgroup of one container, in all hierarchies. Every method throws or rejects with TurfError TURF_ERR_CGROUP. */
export interface CgroupHandle {
  /** True: the cgroup comes to be by `start(pid)`, because systemd makes scopes around living processes only. */
  readonly needsPid: boolean;
  /**
   * Puts the container's first process in, before it runs anything: systemd manager only, at the first synchronisation
   * point. Resolves at once for the cgroupfs manager.
   */
  start(pid: number): Promise<void>;
  /** Facts for state.json; restoreCgroup takes them. With the systemd manager they are a forecast until `start`. */
  describe(): CgroupFacts;
  /** Absolute host directories: by controller on v1, under the empty string for the unified hierarchy. */
  readonly paths: ReadonlyMap<string, string>;
  /** Opens what a new process needs to enter. Costs about 10 microseconds per hierarchy. */
  enter(): CgroupEntry;
  /** Moves a living process in, from outside. Slow: each hierarchy waits an RCU grace period (5 to 10 ms). */
  attach(pid: number): void;
  /** Host pids of every process in it and below; empty once it has been removed. */
  procs(): number[];
  /** Sends a signal to every process in it and below. SIGKILL reaches processes that fork meanwhile, and frozen ones. */
  kill(signal: number): Promise<void>;
  freeze(): Promise<void>;
  /** Whether every process of it is frozen now, by whomever; false for a missing cgroup. */
  frozen(): boolean;
  /** A missing cgroup is no error. */
  thaw(): Promise<void>;
  stats(): CgroupStats;
  /**
   * Changes limits: all of them, or none. `devices` is not looked at: a policy is for the life of a container, as in runc.
   *
   * @returns takes the changes back
   */
  update(resources: OciResources): Promise<UndoUpdate>;
  /** How many processes the kernel's OOM killer took, as far as the kernel counts. */
  oomCount(): number;
  /** Removes what turf made; waits two seconds at most for dead processes to leave. A missing cgroup is no error. */
  destroy(): Promise<void>;
}
