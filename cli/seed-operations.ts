import type { SeedInfo, TurfState } from './operations.js';

/** Memory of one process in bytes (proc_pid_smaps_rollup(5) and VmPTE of proc_pid_status(5)). */
export interface MemoryUse {
  readonly rss: number;
  /** Each shared page counted in parts. */
  readonly pss: number;
  /** Pages that another process maps, too: of the seed, or of its clones. */
  readonly shared: number;
  /** Pages of its own: what its end would free. */
  readonly private: number;
  readonly swap: number;
  readonly pageTables: number;
}

/** One seed or worker, in a list in which clones follow what they were cloned from. */
export interface TreeNode {
  readonly id: string;
  readonly kind: 'seed' | 'worker';
  readonly state: TurfState;
  /** 0 where there is no process. */
  readonly pid: number;
  /** Absent where there is no process. */
  readonly memory?: MemoryUse;
  /** What it was cloned from. */
  readonly parent?: string;
  /** What it was cloned from has gone: it stands at the top. */
  readonly orphan: boolean;
  /** 0 at the top. */
  readonly depth: number;
}

/** How a seed is kept; every field is optional. */
export interface SeedPolicy {
  /** When a seed that ended is replaced; default `no`. */
  readonly restart?: 'no' | 'on-failure' | 'always';
  /** Failures in a row before it is given up; default 10. */
  readonly maxRestarts?: number;
  /** A seed that does not answer for so many milliseconds hangs, and is killed; default 30,000; 0: never. */
  readonly livenessMs?: number;
  /** Bytes that a parked seed may hold; one that holds more is replaced. */
  readonly maxMemory?: number;
  /** When a replaced version ends; default `now`, `idle`: once its last worker has ended. */
  readonly drain?: 'now' | 'idle';
  /** Milliseconds of age at which it is replaced. */
  readonly maxAgeMs?: number;
  /** Forks after which it is replaced. */
  readonly maxForks?: number;
}

export interface SeedRollOptions {
  /** Name of the seed. */
  readonly id: string;
  /** Absolute path; default: the bundle of the last version. */
  readonly bundle?: string;
  readonly drain?: 'now' | 'idle';
  /** Milliseconds to reach `forkwait`; default as when it was created. */
  readonly timeoutMs?: number;
}

export interface SeedDetails extends SeedInfo {
  readonly policy: SeedPolicy;

  /** Whether its workers may have the host's network. */
  readonly network: 'none' | 'host';
  /** Absolute path of the code that it has loaded, or that its workers load by default. */
  readonly code?: string;
  /** First host uid and gid of its range. */
  readonly idBase?: number;
  readonly memory?: MemoryUse;
  /** Ids of its workers that live. */
  readonly workerIds: readonly string[];
  /** Ids of seeds that were cloned from it and live. */
  readonly seedIds: readonly string[];
}

/** What turf does with seeds beside making them: docs/warmfork.md. */
export interface SeedOperations {
  /** @throws {TurfError} TURF_ERR_NOT_FOUND */
  seedInspect(id: string): Promise<SeedDetails>;
  /**
   * Ends and removes a seed. Its clones live on: a clone needs nothing of its seed.
   *
   * @throws {TurfError} TURF_ERR_NOT_FOUND; TURF_ERR_STATE where clones of it live and `force` is false
   */
  seedRemove(id: string, options?: { readonly force?: boolean }): Promise<void>;
  /**
   * Prepares a new version of a seed beside the old; forks go to it once it has parked, and the old one ends.
   *
   * @returns the new version
   * @throws {TurfError} where the new version does not park: then the old one stays
   */
  seedRoll(options: SeedRollOptions): Promise<SeedInfo>;
  /** Every seed and worker, clones right behind what they were cloned from. */
  tree(): Promise<readonly TreeNode[]>;
}
