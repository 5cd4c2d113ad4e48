import { closeSync, readFileSync } from 'node:fs';
import { type Kernel, KernelError } from '../../native-shim/kernel.js';

export interface ProcessFacts {
  /** Field 22 of /proc/PID/stat: clock ticks after boot. With the pid it names one process for ever. */
  readonly startTime: bigint;
  /** Field 3: R, S, D, Z, T, t, X … */
  readonly state: string;
  readonly parent: number;
  /** Field 20. */
  readonly threads: number;
}

/** Sends a signal to the process that a pidfd refers to; 0 asks whether it is there. @returns false where it has gone */
export function signalProcess(
  kernel: Pick<Kernel, 'pidfdSendSignal'>,
  pidfd: number,
  signal: number,
): boolean {
  try {
    kernel.pidfdSendSignal(pidfd, signal);
    return true;
  } catch (error) {
    if (error instanceof KernelError && error.code === 'ESRCH') return false;
    throw error;
  }
}

/** Reads /proc/PID/stat (proc_pid_stat(5)); undefined where there is no such process. */
export function readProcess(pid: number): ProcessFacts | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  return parseStat(text);
}

/** @param text content of /proc/PID/stat */
export function parseStat(text: string): ProcessFacts | undefined {
  // Field 2 is the program's name in parentheses, which may hold anything: fields count from the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent] = fields;
  const threads = fields[17];
  const startTime = fields[19];
  if (state === undefined || parent === undefined || threads === undefined || startTime === undefined)
    return undefined;
  return { state, parent: Number(parent), threads: Number(threads), startTime: BigInt(startTime) };
}

/** Whether exactly that process still runs: a zombie has ended, and another start time is another process. */
export function isAlive(pid: number, startTime: bigint): boolean {
  const facts = readProcess(pid);
  return facts?.startTime === startTime && runs(facts);
}

/** A process whose first thread alone has ended shows as a zombie, too, and lives on. */
export function runs({ state, threads }: ProcessFacts): boolean {
  return (state !== 'Z' && state !== 'X') || threads > 1;
}

/**
 * Opens a process: what was read of it belongs to the process that the descriptor refers to.
 *
 * @returns a pidfd that the caller owns; undefined where the process has gone
 */
export function openProcess(kernel: Kernel, pid: number): { pidfd: number; facts: ProcessFacts } | undefined {
  let pidfd: number;
  try {
    pidfd = kernel.pidfdOpen(pid);
  } catch (error) {
    if (error instanceof KernelError && error.code === 'ESRCH') return undefined;
    throw error;
  }
  const facts = readProcess(pid);
  if (facts !== undefined) return { pidfd, facts };
  closeSync(pidfd);
  return undefined;
}
