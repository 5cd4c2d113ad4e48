import { existsSync, readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMiB: number;
  readonly kernel: string;
  readonly system: string;
  readonly node: string;
  readonly cgroup: 'v1' | 'v2' | 'hybrid';
}

/** cgroup layout: v2 is mounted at the root, hybrid has it at `unified` beside v1 controllers. */
export function cgroupLayout(): Machine['cgroup'] {
  if (existsSync('/sys/fs/cgroup/cgroup.controllers')) return 'v2';
  return existsSync('/sys/fs/cgroup/unified/cgroup.procs') ? 'hybrid' : 'v1';
}

/** What a reader needs to know to compare figures. */
export function machine(): Machine {
  const os = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    kernel: release(),
    system: /PRETTY_NAME="(.*)"/.exec(os)?.[1] ?? 'unknown',
    node: process.version,
    cgroup: cgroupLayout(),
  };
}

/** Fields of proc_meminfo(5) for memory that is held and is no cache. */
const HELD = ['AnonPages', 'Shmem', 'SUnreclaim', 'PageTables', 'KernelStack', 'Percpu', 'VmallocUsed'];

/**
 * Memory that processes and the kernel hold, in KiB: pages of processes, page tables, stacks, slabs, per-CPU data. The sum of what is
 * held, since in a virtual machine free memory also moves with what the host takes and gives.
 */
export function usedKiB(): number {
  const text = readFileSync('/proc/meminfo', 'utf8');
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
  return HELD.reduce((sum, name) => sum + field(name), 0);
}

const SETTLED_KIB = 1024;
const LOOKS = 60;

/** Memory in use once it rests: the kernel frees what processes and their namespaces held some time after they have gone. */
export async function settledKiB(): Promise<number> {
  let last = usedKiB();
  for (let look = 0; look < LOOKS; look++) {
    await delay(1000);
    const now = usedKiB();
    if (Math.abs(now - last) < SETTLED_KIB) return now;
    last = now;
  }
  return last;
}
