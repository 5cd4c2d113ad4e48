import { readFile } from 'node:fs/promises';
import { type MemoryUse } from '../../cli/seed-operations.js';

/** Bytes of a line `Name:   123 kB`; 0 where there is none. */
function bytes(text: string, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text);
  return Number(match?.[1] ?? 0) * 1024;
}

/**
 * What the kernel says of a process's memory. Off the event loop: the kernel walks all of its page tables.
 *
 * @returns undefined where the process has gone
 */
export async function memoryUse(pid: number): Promise<MemoryUse | undefined> {
  try {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1');
    const status = await readFile(`/proc/${pid}/status`, 'latin1');
    return parseMemoryUse(rollup, status);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

/**
 * @param rollup content of /proc/PID/smaps_rollup
 * @param status content of /proc/PID/status
 */
export function parseMemoryUse(rollup: string, status: string): MemoryUse {
  return {
    rss: bytes(rollup, 'Rss'),
    pss: bytes(rollup, 'Pss'),
    shared: bytes(rollup, 'Shared_Clean') + bytes(rollup, 'Shared_Dirty'),
    private: bytes(rollup, 'Private_Clean') + bytes(rollup, 'Private_Dirty'),
    swap: bytes(rollup, 'Swap'),
    pageTables: bytes(status, 'VmPTE'),
  };
}
