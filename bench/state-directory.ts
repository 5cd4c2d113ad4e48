import { mkdtempSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

/** TMPFS_MAGIC of statfs(2). */
const TMPFS = 0x01021994;

/**
 * A new directory for state, for turf and its peers alike: on a tmpfs, as /run is wherever systemd runs, also on machines whose
 * /run is on a disk.
 */
export function stateDirectory(prefix: string): string {
  const base = ['/run', '/dev/shm'].find((path) => statfsSync(path).type === TMPFS) ?? '/tmp';
  return mkdtempSync(join(base, prefix));
}
