/** Payloads of the operations that have more than a few fields; native-shim/plan/plan.h says what each means. */

/** Index into the descriptors that travel with a plan; -1 is none. */
export type FdIndex = number;

export interface MountFsOp {
  readonly fstype: string;
  readonly source: string;
  readonly target: string;
  readonly attrSet?: number;
  readonly propagation?: number;
  readonly flags?: number;
  /** fsconfig(2) keys and values; an empty value sets a flag. */
  readonly data?: readonly (readonly [string, string])[];
}

export interface MountBindOp {
  readonly source?: string;
  readonly tree?: FdIndex;
  readonly target: string;
  readonly attrSet?: number;
  readonly attrClear?: number;
  readonly attrSetRecursive?: number;
  readonly attrClearRecursive?: number;
  readonly propagation?: number;
  readonly flags?: number;
}

export interface MountSetattrOp {
  readonly target: string;
  readonly attrSet?: number;
  readonly attrClear?: number;
  readonly propagation?: number;
  readonly recursive?: boolean;
}

export interface MknodOp {
  readonly path: string;
  /** Permission bits and S_IFMT. */
  readonly mode: number;
  readonly major: number;
  readonly minor: number;
  readonly uid: number;
  readonly gid: number;
}

export interface ConsoleOp {
  readonly socket: FdIndex;
  readonly rows: number;
  readonly columns: number;
  readonly uid: number;
  readonly bindDevConsole: boolean;
  /** Stdio only: SPAWN makes it the controlling terminal. */
  readonly later?: boolean;
}

export interface HookOp {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Seconds; 0: none. */
  readonly timeout: number;
  /** Holds `@PID@` once; the executor writes the number. */
  readonly stateJson: string;
  readonly phase: 'createContainer' | 'startContainer';
}

export interface SchedulerOp {
  readonly policy: number;
  readonly flags: number;
  readonly nice: number;
  readonly priority: number;
  /** Nanoseconds, as deadline and period. */
  readonly runtime: number | bigint;
  readonly deadline: number | bigint;
  readonly period: number | bigint;
}

export interface UserOp {
  readonly uid: number;
  readonly gid: number;
  /** undefined leaves the supplementary groups as they are. */
  readonly groups?: readonly number[];
}

export interface CapabilitySets {
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
  readonly ambient: bigint;
}
