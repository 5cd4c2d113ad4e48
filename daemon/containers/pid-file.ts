import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { TurfError } from '../../cli/turf-error.js';

/**
 * Writes a pid file: whoever waits for the file never reads half a number.
 *
 * @param path absolute
 * @throws TurfError TURF_ERR_USAGE where it cannot be written
 */
export function writePidFile(path: string, pid: number): void {
  const temporary = join(dirname(path), `.${basename(path)}.new`);
  try {
    // Made anew: in a directory that others write to, a link may wait under that name.
    rmSync(temporary, { force: true });
    writeFileSync(temporary, String(pid), { flag: 'wx' });
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TurfError('TURF_ERR_USAGE', `pid file: ${reason}`, { path: 'pidFile', cause });
  }
}
