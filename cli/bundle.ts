import { join } from 'node:path';
import { z } from 'zod';
import { readRegularFileSync } from './regular-file.js';

const terminalSchema = z.object({ process: z.object({ terminal: z.literal(true) }) });
const largestConfig = 1024 * 1024;

/**
 * Whether a bundle's config.json asks for a terminal. False where the file cannot be read: `create` reads it too, and
 * says what is wrong.
 */
export function wantsTerminal(bundle: string): boolean {
  try {
    const text = readRegularFileSync(join(bundle, 'config.json'), largestConfig);
    return terminalSchema.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}
