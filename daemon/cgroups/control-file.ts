import { closeSync, constants, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { TurfError } from '../../cli/turf-error.js';
import { errnoNames } from '../../native-shim/errno.js';

/** The name of a failed system call's errno, or undefined for another error. */
export function errnoCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Whether a cgroup (or the file in it) that was to be used has gone meanwhile: systemd removes empty scopes by itself. */
export function hasGone(error: unknown): boolean {
  const code = errnoCode(error instanceof TurfError ? error.cause : error);
  return code === 'ENOENT' || code === 'ENODEV';
}

/** `EBUSY: resource busy or locked`, without Node's repetition of call and path. */
export function errnoText(error: unknown): string {
  if (error instanceof Error && 'errno' in error && typeof error.errno === 'number') {
    return errnoNames(Math.abs(error.errno)).join(': ');
  }
  return error instanceof Error ? error.message : String(error);
}

/**
 * A cgroup error.
 *
 * @param field the field of config.json at fault, or what was being done
 */
export function cgroupError(field: string, what: string, cause?: unknown): TurfError {
  const text = cause === undefined ? '' : `: ${errnoText(cause)}`;
  return new TurfError('TURF_ERR_CGROUP', `${field}: ${what}${text}`, { path: field, cause });
}

/** open(2) for writing: Node's 'w' would add O_CREAT and O_TRUNC. */
export function openForWriting(file: string): number {
  return openSync(file, constants.O_WRONLY);
}

/**
 * Writes each value by a write(2) of its own: a control file takes one command per call.
 *
 * @throws TurfError TURF_ERR_CGROUP naming field, value, file and errno
 */
export function writeControl(field: string, file: string, ...values: readonly string[]): void {
  let value = values[0] ?? '';
  let fd = -1;
  try {
    fd = openForWriting(file);
    for (value of values) writeSync(fd, value);
  } catch (error) {
    throw cgroupError(field, `write ${JSON.stringify(value)} to ${file}`, error);
  } finally {
    if (fd >= 0) closeSync(fd);
  }
}

const CHUNK = 4096;

/**
 * The content of a control file without its last newline. Two system calls fewer than readFileSync for the usual short file.
 *
 * @throws the error of node:fs
 */
export function readControl(file: string): string {
  const fd = openSync(file, constants.O_RDONLY);
  try {
    const buffer = Buffer.allocUnsafe(CHUNK);
    const length = readSync(fd, buffer, 0, CHUNK, null);
    if (length < CHUNK) return buffer.toString('utf8', 0, length).trimEnd();
  } finally {
    closeSync(fd);
  }
  return readFileSync(file, 'utf8').trimEnd();
}

/** As readControl; undefined where the file does not exist or cannot be read now. */
export function tryReadControl(file: string): string | undefined {
  try {
    return readControl(file);
  } catch {
    return undefined;
  }
}
