import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { cgroupError, readControl, tryReadControl, writeControl } from './control-file.js';
import { flatKeyed } from './stats.js';

/** Milliseconds between looks; a process that is not stuck in the kernel freezes within microseconds. */
const LOOKS = [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] as const;

/** Stops and resumes every process of a cgroup and those below it. */
export interface Freezer {
  /** Resolves when all are frozen; rejects after two seconds. */
  freeze(): Promise<void>;
  /** Whether all are frozen now, by this cgroup or one above it; false where it has gone. */
  frozen(): boolean;
  thaw(): void;
}

async function settle(directory: string, isFrozen: () => boolean, again: () => void): Promise<void> {
  for (const delay of LOOKS) {
    if (isFrozen()) return;
    await (delay === 0 ? setImmediate() : setTimeout(delay));
    again();
  }
  if (!isFrozen()) throw cgroupError('cgroup', `freeze ${directory}: its processes did not stop in time`);
}

/** @param directory in the v1 freezer hierarchy (cgroup-v1/freezer-subsystem.rst) */
export function v1Freezer(directory: string): Freezer {
  const state = join(directory, 'freezer.state');
  const write = (value: string): void => writeControl('cgroup', state, value);
  return {
    async freeze() {
      write('FROZEN');
      /* written again: a process forked while the state was FREEZING can be missed (runc, kernels before 5.11) */
      await settle(
        directory,
        () => readControl(state) === 'FROZEN',
        () => write('FROZEN'),
      );
    },
    frozen: () => tryReadControl(state) === 'FROZEN',
    thaw: () => write('THAWED'),
  };
}

/** @param directory of a v2 cgroup; cgroup.freeze exists since 5.2 */
export function v2Freezer(directory: string): Freezer {
  const file = join(directory, 'cgroup.freeze');
  const events = join(directory, 'cgroup.events');
  const frozen = (): boolean => flatKeyed(tryReadControl(events), 'frozen') === 1;
  return {
    async freeze() {
      writeControl('cgroup', file, '1');
      await settle(directory, frozen, () => undefined);
    },
    frozen,
    thaw: () => writeControl('cgroup', file, '0'),
  };
}

/** Whether processes that enter a v1 freezer cgroup are stopped, for itself or for a parent of it. */
export const v1IsFrozen = (directory: string): boolean =>
  (tryReadControl(join(directory, 'freezer.state')) ?? 'THAWED') !== 'THAWED';

/** The same for v2. */
export const v2IsFrozen = (directory: string): boolean =>
  tryReadControl(join(directory, 'cgroup.freeze')) === '1' ||
  flatKeyed(tryReadControl(join(directory, 'cgroup.events')), 'frozen') === 1;
