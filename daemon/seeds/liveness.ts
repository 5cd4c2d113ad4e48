import { readFileSync } from 'node:fs';
import { type Kernel, KernelError } from '../../native-shim/kernel.js';
import { type Container } from '../containers/container.js';
import { type Machine } from '../machine.js';
import { type KeptSeed } from './kept-seed.js';
import { seedParks } from './seed-control.js';

const DEFAULT_LIVENESS_MS = 30_000;
/** A seed that seems to hang is asked once more: it, or this daemon, may have been frozen. */
const SECOND_CHANCE_MS = 2000;
const MEMORY_EVERY_MS = 5000;

/** Why a version that serves is to be replaced: `age` or `memory`; undefined for nothing. */
export function wearOf(kept: KeptSeed, container: Container): 'age' | 'memory' | undefined {
  const { maxAgeMs, maxMemory } = kept.record.policy;
  if (maxAgeMs !== undefined && Date.now() - Date.parse(container.facts.created) >= maxAgeMs) return 'age';
  if (maxMemory === undefined || !kept.due('memory', MEMORY_EVERY_MS)) return undefined;
  return residentBytes(container.facts.process?.pid ?? 0) > maxMemory ? 'memory' : undefined;
}

/** Asks a version whether it is there, if it is time to: true where it is, and does not answer. */
export async function hangs(
  { kernel, store }: Pick<Machine, 'kernel' | 'store'>,
  kept: KeptSeed,
  container: Container,
): Promise<boolean> {
  const { livenessMs = DEFAULT_LIVENESS_MS } = kept.record.policy;
  if (livenessMs === 0 || !kept.due('liveness', livenessMs)) return false;
  for (const patience of [livenessMs, SECOND_CHANCE_MS]) {
    const found = await aliveness(kernel, store.path(container.id, 'control.sock'), patience);
    if (found !== 'silent') return false;
  }
  return true;
}

/**
 * Asks a parked seed whether it is there (docs/protocol.md, "Seed control connection").
 *
 * @param path its `control.sock`
 * @returns `silent` where it lives and does not answer in time; `busy` where so many forks wait that nobody can be asked
 */
export async function aliveness(
  kernel: Kernel,
  path: string,
  patienceMs: number,
): Promise<'alive' | 'gone' | 'silent' | 'busy'> {
  const patience = AbortSignal.timeout(patienceMs);
  try {
    if (await seedParks(kernel, path, patience)) return 'alive';
    return patience.aborted ? 'silent' : 'gone';
  } catch (error) {
    if (error instanceof KernelError && error.code === 'EAGAIN') return 'busy';
    throw error;
  }
}

/** VmRSS of a process; 0 where it has gone. */
export function residentBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
