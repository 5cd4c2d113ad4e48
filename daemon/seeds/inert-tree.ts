import { closeSync } from 'node:fs';
import { type Kernel } from '../../native-shim/kernel.js';

/** mount_setattr(2) */
const RDONLY = 0x1;
const NOSUID = 0x2;
const NODEV = 0x4;
const NOEXEC = 0x8;

/**
 * A directory of the host as a detached mount that nobody can write to, execute from, or gain privileges by.
 *
 * @returns a descriptor that the caller owns
 */
export function inertTree(kernel: Kernel, directory: string): number {
  const tree = kernel.openTree(directory, { clone: true, recursive: false });
  try {
    kernel.mountSetattr(tree, RDONLY | NOSUID | NODEV | NOEXEC, 0, false);
    return tree;
  } catch (error) {
    closeSync(tree);
    throw error;
  }
}
