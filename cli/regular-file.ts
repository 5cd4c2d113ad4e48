import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';

/** Opening a FIFO that nobody writes would hold the daemon, reading a device could go on for ever. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * Reads a file that somebody else chose: only a regular one, and no more than `largest` bytes.
 *
 * @throws Error naming the path: what is there instead, or the error of node:fs
 */
export async function readRegularFile(path: string, largest: number): Promise<Buffer> {
  const file = await open(path, flags);
  try {
    check(path, await file.stat(), largest);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** As readRegularFile, for files that are so small that no thread need be woken for them. */
export function readRegularFileSync(path: string, largest: number): string {
  const file = openSync(path, flags);
  try {
    check(path, fstatSync(file), largest);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

function check(path: string, stats: Stats, largest: number): void {
  if (!stats.isFile()) throw new Error(`${path}: not a regular file`);
  if (stats.size > largest) throw new Error(`${path}: larger than ${largest} bytes`);
}
