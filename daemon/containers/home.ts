import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { type Kernel, KernelError } from '../../native-shim/kernel.js';

/** O_PATH of fcntl.h, which Node.js does not name. */
const O_PATH = 0o10000000;
/** A container's passwd is read up to here: it is not ours, and need not end. */
const MAX_PASSWD_BYTES = 1 << 20;

/**
 * The home directory that the container's own /etc/passwd gives to a uid, for a process without HOME; `/` where it gives none,
 * as runc does.
 */
export function homeDirectory(kernel: Kernel, rootfs: string, uid: number): string {
  let fd: number | undefined;
  try {
    fd = openFile(kernel, rootfs, 'etc/passwd');
  } catch (error) {
    if (error instanceof KernelError) return '/';
    throw error;
  }
  if (fd === undefined) return '/';
  try {
    const buffer = Buffer.alloc(MAX_PASSWD_BYTES);
    const text = buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, 0));
    for (const line of text.split('\n')) {
      const [, , id, , , home] = line.split(':');
      if (id === String(uid) && home !== undefined && home.startsWith('/')) return home;
    }
    return '/';
  } catch (error) {
    if (error instanceof Error && 'code' in error) return '/';
    throw error;
  } finally {
    closeSync(fd);
  }
}

/**
 * Opens a regular file below a root for reading; undefined where something else is there. Opening a device node of an image, as root of
 * the host, could do what the image wants: what it is is seen first, on a descriptor that opens nothing.
 */
function openFile(kernel: Kernel, rootfs: string, path: string): number | undefined {
  const place = kernel.openInRoot(rootfs, path, O_PATH);
  try {
    if (!fstatSync(place).isFile()) return undefined;
    return openSync(`/proc/self/fd/${place}`, constants.O_RDONLY);
  } finally {
    closeSync(place);
  }
}
