import { readFileSync } from 'node:fs';

export interface ProcessFacts {
  /** Field 22 of /proc/PID/stat: clock ticks after boot. With the pid it names one process for ever. */
  readonly startTime: bigint;
  /** Field 3: R, S, D, Z, T, t, X … */
  readonly state: string;
  readonly parent: number;
}

/** Reads /proc/PID/stat (proc_pid_stat(5)); undefined where there is no such process. */
export function readProcess(pid: number): ProcessFacts | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // Field 2 is the program's name in parentheses, which may hold anything: fields count from the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent] = fields;
  const startTime = fields[19];
  if (state === undefined || parent === undefined || startTime === undefined) return undefined;
  return { state, parent: Number(parent), startTime: BigInt(startTime) };
}

/** Whether exactly that process still runs: a zombie has ended, and another start time is another process. */
export function isAlive(pid: number, startTime: bigint): boolean {
  const facts = readProcess(pid);
  return facts?.startTime === startTime && facts.state !== 'Z' && facts.state !== 'X';
}
