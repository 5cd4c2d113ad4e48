import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { normalize, resolve } from 'node:path';
import { TurfError } from '../../cli/turf-error.js';
import { type OciConfig } from '../../oci-spec/config.js';
import { type CgroupView } from '../plan/plan-input.js';
import { planMount } from '../plan/planned-mount.js';

/**
 * What of a container belongs to the outside, and so is no part of its images: mounts of host directories, and what its standard
 * streams are connected to. CRIU is told of them at a checkpoint, and what to put in their place at a restore.
 */

interface MountEntry {
  readonly device: string;
  /** The directory of the file system that is mounted. */
  readonly root: string;
  readonly point: string;
}

/** @param text content of /proc/PID/mountinfo (proc_pid_mountinfo(5)) */
function parseMounts(text: string): readonly MountEntry[] {
  return text.split('\n').flatMap((line) => {
    const [id, , device, root, point] = line.split(' ');
    if (id === undefined || device === undefined || root === undefined || point === undefined) return [];
    return [{ device, root: unescape(root), point: unescape(point) }];
  });
}

const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));

const below = (path: string, directory: string): boolean =>
  directory === '/' || path === directory || path.startsWith(`${directory}/`);

const target = (destination: string): string => normalize(`/${destination}`).replace(/(?<=.)\/$/, '');

/**
 * Mount points, in the container, of what CRIU cannot make again: binds of the host's files, and parts of file systems of which no more is
 * mounted there.
 *
 * @param mountinfo of a process of the container
 */
export function outsideMounts(config: OciConfig, mountinfo: string): readonly string[] {
  const binds = new Set(
    (config.mounts ?? []).flatMap((mount, index) =>
      planMount(mount, index).bind === false ? [] : [target(mount.destination)],
    ),
  );
  const mounts = parseMounts(mountinfo);
  const own = mounts.filter(({ point }) => !binds.has(point));
  return mounts
    .filter(({ device, root, point }) => {
      if (point === '/') return false;
      if (binds.has(point)) return true;
      const whole = own.some(
        (other) => other.device === device && other.root.length < root.length && below(root, other.root),
      );
      return root !== '/' && !whole;
    })
    .map(({ point }) => point);
}

/**
 * The host's path for a mount point of `outsideMounts`.
 *
 * @param cgroups of the container that is being restored
 * @throws TurfError TURF_ERR_CONFIG where the bundle does not have that mount
 */
export function sourceOf(point: string, config: OciConfig, bundle: string, cgroups: CgroupView): string {
  for (const [index, mount] of (config.mounts ?? []).entries()) {
    const planned = planMount(mount, index);
    const at = target(mount.destination);
    if (planned.bind !== false && at === point) return resolve(bundle, mount.source ?? '');
    if (mount.type !== 'cgroup' || !below(point, at)) continue;
    const name = point.slice(at.length + 1);
    const source =
      name === '' || name === 'unified'
        ? cgroups.unifiedHostPath
        : cgroups.hierarchies.find(({ mountName }) => mountName === name)?.hostPath;
    if (source !== undefined) return source;
  }
  const message = `mounts: the images have a mount at ${point} that is not in config.json`;
  throw new TurfError('TURF_ERR_CONFIG', message, { path: 'mounts' });
}

/** What a descriptor is connected to, in CRIU's words (criu(8), --inherit-fd), and whether a checkpoint must name it, too. */
export interface OutsideStream {
  readonly fd: number;
  readonly key: string;
  readonly named: boolean;
}

/** The standard streams that come from outside. @throws TurfError TURF_ERR_UNSUPPORTED for a terminal */
export function outsideStreams(pid: number, mountinfo: string): readonly OutsideStream[] {
  const ids = new Set(mountinfo.split('\n').map((line) => line.split(' ', 1)[0]));
  const open = readdirSync(`/proc/${pid}/fd`).map(Number);
  return [0, 1, 2]
    .filter((fd) => open.includes(fd))
    .flatMap((fd): OutsideStream[] => {
      const link = readlinkSync(`/proc/${pid}/fd/${fd}`);
      if (/^(pipe|socket):\[\d+\]$/.test(link)) return [{ fd, key: link.replace(':', ''), named: false }];
      if (/^\/dev\/(pts\/\d+|console|tty\w*)$/.test(link)) throw hasTerminal(link);
      const mount = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1];
      if (mount === undefined || ids.has(mount)) return [];
      const inode = statSync(`/proc/${pid}/fd/${fd}`, { bigint: true }).ino;
      return [{ fd, key: `file[${Number(mount).toString(16)}:${inode.toString(16)}]`, named: true }];
    });
}

function hasTerminal(link: string): TurfError {
  const path = 'process.terminal';
  return new TurfError('TURF_ERR_UNSUPPORTED', `${path}: a terminal cannot be checkpointed (${link})`, {
    path,
  });
}
