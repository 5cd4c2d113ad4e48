import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const terminalSchema = z.object({ process: z.object({ terminal: z.literal(true) }) });
const largestConfig = 1024 * 1024;

/**
 * Whether a bundle's config.json asks for a terminal. False where the file cannot be read: `create` reads it too, and
 * says what is wrong.
 */
export async function wantsTerminal(bundle: string): Promise<boolean> {
  try {
    // O_NONBLOCK: a FIFO in place of the file must not hold a thread of the daemon.
    const file = await open(join(bundle, 'config.json'), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = await file.stat();
      if (!stat.isFile() || stat.size > largestConfig) return false;
      return terminalSchema.safeParse(JSON.parse(await file.readFile('utf8'))).success;
    } finally {
      await file.close();
    }
  } catch {
    return false;
  }
}
