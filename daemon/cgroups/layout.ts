import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { TurfError } from '../../cli/turf-error.js';

/** One mounted v1 hierarchy. */
export interface V1Hierarchy {
  /** As the kernel names them: `['cpu', 'cpuacct']`, `['name=systemd']`. */
  readonly controllers: readonly string[];
  readonly mountPoint: string;
  /** Last part of the mount point: the name of its directory below a container's /sys/fs/cgroup. */
  readonly mountName: string;
}

/** Where the control groups of this machine are. */
export type CgroupLayout =
  | { readonly mode: 'v2'; readonly root: string }
  | {
      readonly mode: 'v1' | 'hybrid';
      readonly hierarchies: readonly V1Hierarchy[];
      /** Mount point of the cgroup2 file system; hybrid only. */
      readonly unified?: string;
    };

interface CgroupMount {
  readonly fstype: string;
  readonly root: string;
  readonly mountPoint: string;
  readonly options: readonly string[];
}

/** Options of a v1 cgroup file system that are not controllers (cgroup-v1.c, cgroup1_show_options). */
const NOT_CONTROLLERS =
  /^(rw|ro|noprefix|clone_children|xattr|cpuset_v2_mode|none|all|seclabel|favordynmods|release_agent=.*)$/;

const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));

function parseMount(line: string): CgroupMount | undefined {
  const [before = '', after] = line.split(' - ');
  if (after === undefined) return undefined;
  const [fstype = '', , options = ''] = after.split(' ');
  if (fstype !== 'cgroup' && fstype !== 'cgroup2') return undefined;
  const [, , , root = '', mountPoint = ''] = before.split(' ');
  return { fstype, root: unescape(root), mountPoint: unescape(mountPoint), options: options.split(',') };
}

/** A whole hierarchy before a subtree of it, the usual place before another one. */
const preference = (mount: CgroupMount): number =>
  (mount.root === '/' ? 0 : 2) + (mount.mountPoint.startsWith('/sys/fs/cgroup') ? 0 : 1);

/**
 * Finds the cgroup file systems of a machine.
 *
 * @param mountinfo content of /proc/self/mountinfo (proc_pid_mountinfo(5))
 * @throws TurfError TURF_ERR_CGROUP where none is mounted
 */
export function parseLayout(mountinfo: string): CgroupLayout {
  const mounts = mountinfo
    .split('\n')
    .flatMap((line) => parseMount(line) ?? [])
    .sort((a, b) => preference(a) - preference(b));
  const hierarchies = new Map<string, V1Hierarchy>();
  for (const { fstype, mountPoint, options } of mounts) {
    if (fstype !== 'cgroup') continue;
    const controllers = options.filter((option) => !NOT_CONTROLLERS.test(option));
    const key = controllers.join(',');
    if (controllers.length > 0 && !hierarchies.has(key)) {
      hierarchies.set(key, { controllers, mountPoint, mountName: basename(mountPoint) });
    }
  }
  const unified = mounts.find((mount) => mount.fstype === 'cgroup2')?.mountPoint;
  if (hierarchies.size > 0) {
    const list = [...hierarchies.values()];
    return unified === undefined
      ? { mode: 'v1', hierarchies: list }
      : { mode: 'hybrid', hierarchies: list, unified };
  }
  if (unified === undefined) {
    throw new TurfError('TURF_ERR_CGROUP', 'no cgroup file system is mounted: mount one at /sys/fs/cgroup');
  }
  return { mode: 'v2', root: unified };
}

/** The layout of this machine. @throws TurfError TURF_ERR_CGROUP */
export function detectLayout(): CgroupLayout {
  return parseLayout(readFileSync('/proc/self/mountinfo', 'utf8'));
}

/**
 * Where a process is.
 *
 * @param text content of /proc/PID/cgroup (cgroups(7))
 * @returns path by controller list as the kernel writes it; the unified hierarchy is the empty string
 */
export function parseProcCgroup(text: string): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    if (match) paths.set(match[1] ?? '', match[2] ?? '/');
  }
  return paths;
}
