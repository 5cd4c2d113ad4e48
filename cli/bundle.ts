import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const terminalSchema = z.object({ process: z.object({ terminal: z.literal(true) }) });
const largestConfig = 1024 * 1024;

/**
 * Whether a bundle's config.json asks for a terminal. False where the file cannot be read: `create` reads it too, and
 * says what is wrong.
 */
export function wantsTerminal(bundle: string): boolean {
  try {
    // O_NONBLOCK: a FIFO in place of the file must not hold the daemon. A small file is read sooner than a thread is woken.
    const file = openSync(join(bundle, 'config.json'), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(file);
      if (!stat.isFile() || stat.size > largestConfig) return false;
      return terminalSchema.safeParse(JSON.parse(readFileSync(file, 'utf8'))).success;
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}
