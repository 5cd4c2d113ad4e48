import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { cgroupError, errnoCode } from './control-file.js';

const MODE = 0o755;

/** Directories made by an unfinished create, so that a failure can take them back. */
export class MadeDirectories {
  readonly #made: string[] = [];

  /** @param takePopulated accept an existing leaf with processes in it */
  constructor(readonly takePopulated = false) {}

  /** @returns false where it existed. @throws the error of mkdir(2), ENOENT included */
  tryMake(directory: string): boolean {
    try {
      mkdirSync(directory, MODE);
    } catch (error) {
      if (errnoCode(error) === 'EEXIST') return false;
      throw error;
    }
    this.#made.push(directory);
    return true;
  }

  /** Removes what was made, children first. What is in use stays. */
  undo(): void {
    for (const directory of this.#made.splice(0).reverse()) {
      try {
        rmdirSync(directory);
      } catch {
        /* another container came to live in a shared parent, or the directory has gone */
      }
    }
  }
}

/**
 * Makes a container's directory.
 *
 * @param prepareParents makes the missing ancestors; called only where mkdir(2) misses one
 * @returns whether the directory is new; an existing one is taken if no process is in it
 * @throws TurfError TURF_ERR_CGROUP
 */
export function makeLeaf(made: MadeDirectories, directory: string, prepareParents: () => void): boolean {
  try {
    let isNew: boolean;
    try {
      isNew = made.tryMake(directory);
    } catch (error) {
      if (errnoCode(error) !== 'ENOENT') throw error;
      prepareParents();
      isNew = made.tryMake(directory);
    }
    if (isNew) return true;
  } catch (error) {
    throw cgroupError('cgroup', `make ${directory}`, error);
  }
  const pids = made.takePopulated ? [] : processesBelow(directory);
  if (pids.length > 0) {
    throw cgroupError('linux.cgroupsPath', `${directory} is not empty: it has ${pids.length} processes`);
  }
  return false;
}

/** Every ancestor of `directory` below `mountPoint`, outermost first. */
export function ancestors(mountPoint: string, directory: string): readonly string[] {
  const list: string[] = [];
  for (let at = dirname(directory); at.length > mountPoint.length; at = dirname(at)) list.unshift(at);
  return list;
}

function childDirectories(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(directory, entry.name));
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function ownProcesses(directory: string): readonly number[] {
  try {
    return readFileSync(join(directory, 'cgroup.procs'), 'latin1')
      .split('\n')
      .map(Number)
      .filter((pid) => pid > 0); // 0: a process outside our PID namespace
  } catch (error) {
    const code = errnoCode(error);
    /* EOPNOTSUPP: a threaded v2 cgroup, whose processes are listed by the domain above it */
    if (code === 'ENOENT' || code === 'ENODEV' || code === 'EOPNOTSUPP') return [];
    throw error;
  }
}

/** Pids in the cgroup and those below it; empty where it does not exist. */
export function processesBelow(directory: string): number[] {
  return [...ownProcesses(directory), ...childDirectories(directory).flatMap(processesBelow)];
}

function tryRemove(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    const code = errnoCode(error);
    if (code === 'ENOENT' || code === 'ENODEV') return true;
    if (code === 'EBUSY' || code === 'ENOTEMPTY') return false;
    throw cgroupError('cgroup', `remove ${directory}`, error);
  }
}

function tryRemoveTree(directory: string): boolean {
  if (tryRemove(directory)) return true;
  for (const child of childDirectories(directory)) tryRemoveTree(child);
  return tryRemove(directory);
}

/** Milliseconds between tries; the last processes of a cgroup leave it a moment after they were killed. */
const RETRIES = [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] as const;

/**
 * Removes a cgroup and those below it, waiting two seconds at most for its processes to leave.
 *
 * @throws TurfError TURF_ERR_CGROUP naming the processes that stayed
 */
export async function removeTree(directory: string): Promise<void> {
  if (tryRemoveTree(directory)) return;
  for (const delay of RETRIES) {
    await (delay === 0 ? setImmediate() : setTimeout(delay));
    if (tryRemoveTree(directory)) return;
  }
  const pids = processesBelow(directory);
  const who = pids.length > 0 ? `: it has processes ${pids.slice(0, 10).join(', ')}` : '';
  throw cgroupError('cgroup', `remove ${directory}: still in use${who}`);
}
