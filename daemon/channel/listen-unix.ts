import { closeSync } from 'node:fs';
import { type Kernel, KernelError } from '../../native-shim/kernel.js';
import { TurfError } from '../../cli/turf-error.js';

/**
 * Binds a listening AF_UNIX socket at a path that somebody else chose: a socket file that nobody serves any more is replaced, one
 * that somebody serves is not.
 *
 * @param path absolute
 * @param mode permission bits
 * @returns a descriptor that the caller owns
 * @throws TurfError TURF_ERR_SYSTEM where the path is in use, KernelError
 */
export function listenUnixUnused(kernel: Kernel, path: string, mode: number): number {
  if (isServed(kernel, path)) throw new TurfError('TURF_ERR_SYSTEM', `${path}: address in use`, { path });
  return kernel.listenUnix(path, mode);
}

/** Whether somebody listens at that path. A full backlog (EAGAIN) is a listener, too. */
export function isServed(kernel: Kernel, path: string): boolean {
  try {
    closeSync(kernel.connectUnix(path));
    return true;
  } catch (error) {
    if (error instanceof KernelError) return error.code !== 'ENOENT' && error.code !== 'ECONNREFUSED';
    throw error;
  }
}
