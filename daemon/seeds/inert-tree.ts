import { closeSync, constants } from 'node:fs';
import { TurfError } from '../../cli/turf-error.js';
import { type Kernel, KernelError } from '../../native-shim/kernel.js';
import { type CodeDirectory } from './code-directory.js';

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

/** O_PATH of fcntl.h, which Node does not name. */
const O_PATH = 0o10000000;

/**
 * A worker's code as an inert tree.
 *
 * @returns a descriptor that the caller owns
 * @throws TurfError TURF_ERR_CONFIG where a root has no such directory
 */
export function codeTree(kernel: Kernel, code: CodeDirectory): number {
  if (typeof code === 'string') return inertTree(kernel, code);
  let directory: number;
  try {
    directory = kernel.openInRoot(code.root, code.path, O_PATH | constants.O_DIRECTORY);
  } catch (cause) {
    if (!(cause instanceof KernelError)) throw cause;
    throw new TurfError('TURF_ERR_CONFIG', `turf.code: ${cause.message}`, { path: 'turf.code', cause });
  }
  try {
    return inertTree(kernel, `/proc/self/fd/${directory}`);
  } finally {
    closeSync(directory);
  }
}
