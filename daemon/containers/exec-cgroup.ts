import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TurfError } from '../../cli/turf-error.js';
import { type CgroupEntry } from '../cgroups/cgroup.js';
import { cgroupError, openForWriting } from '../cgroups/control-file.js';
import { type CgroupFacts } from '../cgroups/facts.js';
import { parseProcCgroup } from '../cgroups/layout.js';

/**
 * Opens the cgroup that a process is to join a container in.
 *
 * On v2 a cgroup with controllers for its children takes no processes: where the container's first process has moved to one
 * below, as systemd does, that one is it.
 *
 * @param pid the container's first process
 * @param below see ExecOptions.cgroup
 * @returns descriptors that the caller owns
 * @throws TurfError TURF_ERR_CGROUP, TURF_ERR_USAGE
 */
export function openExecCgroup(facts: CgroupFacts, pid: number, below: readonly string[] = []): CgroupEntry {
  const places = parsePlaces(facts, below);
  const tasksFds: number[] = [];
  try {
    for (const { controllers, directory } of facts.hierarchies) {
      const place = places.get(controllers.find((name) => places.has(name)) ?? '') ?? '';
      tasksFds.push(openForWriting(join(directory, place, 'tasks')));
    }
    const { unified } = facts;
    if (unified === undefined) return { tasksFds };
    const given = facts.mode === 'v2' ? places.get('') : undefined;
    const directory =
      given === undefined
        ? currentDirectory(unified.directory, facts.path, pid)
        : join(unified.directory, given);
    return { tasksFds, cgroupFd: openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY) };
  } catch (error) {
    for (const fd of tasksFds) closeSync(fd);
    if (error instanceof TurfError) throw error;
    throw cgroupError('cgroup', `open ${facts.path} to enter it`, error);
  }
}

/** `cpu,cpuacct:sub` and `sub`: controller, or the empty string for all, to a path below the container's. */
function parsePlaces(facts: CgroupFacts, below: readonly string[]): ReadonlyMap<string, string> {
  const places = new Map<string, string>();
  const known = new Set(facts.hierarchies.flatMap(({ controllers }) => controllers));
  for (const text of below) {
    const colon = text.indexOf(':');
    const controllers = colon < 0 ? [''] : text.slice(0, colon).split(',');
    const path = text.slice(colon + 1);
    const unknown = controllers.find((name) => name !== '' && !known.has(name));
    if (unknown !== undefined) throw usage(text, `unknown controller ${JSON.stringify(unknown)}`);
    if (path === '' || path.includes('\0') || path.split('/').includes('..'))
      throw usage(text, 'must be a path below the cgroup of the container');
    for (const name of controllers) {
      if (places.has(name)) throw usage(text, 'is given twice');
      places.set(name, path);
    }
  }
  return places;
}

/** Only the container's own processes can have moved it below; anywhere else is none of a container's. */
function currentDirectory(directory: string, path: string, pid: number): string {
  const current = parseProcCgroup(readFileSync(`/proc/${pid}/cgroup`, 'utf8')).get('');
  return current?.startsWith(`${path}/`) === true ? join(directory, current.slice(path.length)) : directory;
}

function usage(text: string, reason: string): TurfError {
  return new TurfError('TURF_ERR_USAGE', `--cgroup ${text}: ${reason}`, { path: 'cgroup' });
}
