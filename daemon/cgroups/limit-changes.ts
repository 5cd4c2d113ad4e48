import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { TurfError } from '../../cli/turf-error.js';
import { cgroupError, tryReadControl, writeControl } from './control-file.js';
import type { Limit } from './limit.js';
import { priorValues } from './prior-value.js';

interface Change {
  readonly limit: Limit;
  readonly file: string;
  readonly value: string;
}

/**
 * Changes of a cgroup that has limits already. All are looked up, and what is there is read, before the first is written; if one of
 * them cannot be written, those before it are taken back.
 */
export class LimitChanges {
  readonly #changes: readonly Change[];
  /** For each change what has to be written to take it back. */
  readonly #before: readonly (readonly string[])[];

  /**
   * @param limits in the order in which they are to be written
   * @param directoryOf the cgroup's directory in the hierarchy of a controller
   * @throws TurfError TURF_ERR_CGROUP where this cgroup has no file for a limit
   */
  constructor(limits: readonly Limit[], directoryOf: (controller: string) => string | undefined) {
    this.#changes = limits.flatMap((limit) => locate(limit, directoryOf(limit.controller)));
    this.#before = this.#changes.map(({ file, value }) =>
      priorValues(file, tryReadControl(file) ?? '', value),
    );
  }

  /** The limits as they were when this was made, where the files tell. */
  get before(): readonly Limit[] {
    return this.#changes.flatMap(({ limit, file }, index) => {
      const [value] = this.#before[index] ?? [];
      return value === undefined ? [] : [{ ...limit, files: [basename(file)] as const, value }];
    });
  }

  /** @throws TurfError TURF_ERR_CGROUP, after what was written has been taken back */
  apply(): void {
    let written = 0;
    try {
      for (const { limit, file, value } of this.#changes) {
        writeControl(limit.field, file, value);
        written++;
      }
    } catch (error) {
      const failed = this.#restore(written);
      if (failed.length === 0 || !(error instanceof TurfError)) throw error;
      const which = failed.map(({ message }) => message).join('; ');
      throw new TurfError(error.code, `${error.message} (and not taken back: ${which})`, {
        ...(error.path === undefined ? {} : { path: error.path }),
        cause: error.cause,
      });
    }
  }

  /** Writes back what was there before. @throws TurfError TURF_ERR_CGROUP naming what could not be written back */
  takeBack(): Promise<void> {
    const [first, ...more] = this.#restore(this.#changes.length);
    if (first === undefined) return Promise.resolve();
    return Promise.reject(more.length === 0 ? first : new AggregateError([first, ...more], first.message));
  }

  /** The last first: an order in which limits could be set is one in which they can be taken back. */
  #restore(count: number): readonly Error[] {
    const failed: Error[] = [];
    for (let index = count - 1; index >= 0; index--) {
      const change = this.#changes[index];
      if (change === undefined) continue;
      try {
        for (const value of this.#before[index] ?? []) writeControl(change.limit.field, change.file, value);
      } catch (error) {
        failed.push(error instanceof Error ? error : new Error(String(error)));
      }
    }
    return failed;
  }
}

function locate(limit: Limit, directory: string | undefined): Change[] {
  const { field, controller, files, value, fallbackValue, optional } = limit;
  if (directory !== undefined) {
    const index = files.findIndex((file) => existsSync(join(directory, file)));
    const file = files[index];
    if (file !== undefined)
      return [{ limit, file: join(directory, file), value: index === 0 ? value : (fallbackValue ?? value) }];
  }
  if (optional === true) return [];
  if (directory === undefined)
    throw cgroupError(field, `the container's cgroup has no ${controller} controller`);
  throw cgroupError(
    field,
    `the ${controller} controller of this machine has no ${files.join(' or ')} (looked in ${directory})`,
  );
}
