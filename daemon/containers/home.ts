import { closeSync, constants, readSync } from 'node:fs';
import { type Kernel, KernelError } from '../../native-shim/kernel.js';

/** A container's passwd is read up to here: it is not ours, and need not end. */
const MAX_PASSWD_BYTES = 1 << 20;

/**
 * The home directory that the container's own /etc/passwd gives to a uid, for a process without HOME; `/` where it gives none,
 * as runc does.
 */
export function homeDirectory(kernel: Kernel, rootfs: string, uid: number): string {
  let fd: number;
  try {
    fd = kernel.openInRoot(rootfs, 'etc/passwd', constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof KernelError) return '/';
    throw error;
  }
  try {
    const buffer = Buffer.alloc(MAX_PASSWD_BYTES);
    const text = buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, 0));
    for (const line of text.split('\n')) {
      const [, , id, , , home] = line.split(':');
      if (id === String(uid) && home !== undefined && home.startsWith('/')) return home;
    }
    return '/';
  } catch (error) {
    // A directory or a pipe in its place.
    if (error instanceof Error && 'code' in error) return '/';
    throw error;
  } finally {
    closeSync(fd);
  }
}
