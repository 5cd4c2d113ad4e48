import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readRegularFileSync } from '../../cli/regular-file.js';
import { TurfError } from '../../cli/turf-error.js';

/** Beside CRIU's own files. */
const NAME = 'turf-checkpoint.json';
const LARGEST = 1 << 20;

const imageSchema = z.strictObject({
  version: z.literal(1),
  /** Mount points, in the container, of what is no part of the images. */
  mounts: z.array(z.string()),
  /** What standard streams were connected to, by CRIU's name for it. */
  streams: z.array(
    z.strictObject({ fd: z.int().min(0).max(2), key: z.string().regex(/^\w+\[[\da-f:]+\]$/) }),
  ),
  /** CRIU's names for namespaces that were joined, and their types. */
  namespaces: z.array(z.strictObject({ type: z.enum(['network', 'pid']), key: z.string() })),
});

/** What a restore has to know beyond CRIU's files. */
export type CheckpointImage = z.infer<typeof imageSchema>;

/** @throws TurfError TURF_ERR_USAGE */
export function writeImage(directory: string, image: CheckpointImage): void {
  const path = join(directory, NAME);
  try {
    rmSync(path, { force: true });
    // Exclusively: the name may be somebody's link to a file of the host's.
    writeFileSync(path, `${JSON.stringify(image, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TurfError('TURF_ERR_USAGE', `--image-path: ${reason}`, { path, cause });
  }
}

/** After a checkpoint that failed. */
export function removeImage(directory: string): void {
  rmSync(join(directory, NAME), { force: true });
}

/** @throws TurfError TURF_ERR_USAGE where the directory has no checkpoint of turf's */
export function readImage(directory: string): CheckpointImage {
  const path = join(directory, NAME);
  try {
    return imageSchema.parse(JSON.parse(readRegularFileSync(path, LARGEST)));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    const message = `--image-path: ${directory} has no checkpoint of a container: ${reason}`;
    throw new TurfError('TURF_ERR_USAGE', message, { path, cause });
  }
}
