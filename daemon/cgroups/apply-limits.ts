import { join } from 'node:path';
import { TurfError } from '../../cli/turf-error.js';
import { cgroupError, errnoCode, writeControl } from './control-file.js';
import type { Limit } from './limit.js';

const isMissing = (error: unknown): boolean =>
  error instanceof TurfError && errnoCode(error.cause) === 'ENOENT';

function applyLimit(limit: Limit, directory: string): void {
  const { field, files, value, fallbackValue } = limit;
  for (const [index, file] of files.entries()) {
    try {
      writeControl(field, join(directory, file), index === 0 ? value : (fallbackValue ?? value));
      return;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  if (limit.optional === true) return;
  throw cgroupError(
    field,
    `the ${limit.controller} controller of this machine has no ${files.join(' or ')} (looked in ${directory})`,
  );
}

/** Refuses a limit whose controller is missing. @returns never */
export function missingController({ field, controller }: Limit): never {
  throw cgroupError(field, `the ${controller} controller is not available on this machine`);
}

/**
 * Writes limits in their order.
 *
 * @param directoryOf the cgroup's directory in the hierarchy of a controller; undefined where the machine has none
 * @throws TurfError TURF_ERR_CGROUP naming field, file, value and errno
 */
export function applyLimits(
  limits: readonly Limit[],
  directoryOf: (controller: string) => string | undefined,
): void {
  for (const limit of limits) {
    const directory = directoryOf(limit.controller);
    if (directory !== undefined) applyLimit(limit, directory);
    else if (limit.optional !== true) missingController(limit);
  }
}
