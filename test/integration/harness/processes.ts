import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Ids of all processes of this machine. */
export const allPids = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** The kernel's flag of a process that runs nothing more: it has left its memory and its cgroups, and waits for the others of its PID namespace. */
const PF_EXITING = 4;

export function isAlive(pid: number): boolean {
  const { state, flags } = processStat(pid);
  return !['', 'Z', 'X'].includes(state) && (flags & PF_EXITING) === 0;
}

/** State letter, parent, flags and start time (clock ticks) of a process; empty and zero when there is none. */
export function processStat(pid: number): {
  state: string;
  parent: number;
  flags: number;
  startTime: number;
} {
  const text = read(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = '', parent, , , , , flags] = fields;
  return {
    state,
    parent: Number(parent ?? 0),
    flags: Number(flags ?? 0),
    startTime: Number(fields[19] ?? 0),
  };
}

/** Ids of the child processes of a process. */
export const childrenOf = (pid: number): number[] =>
  allPids().filter((one) => processStat(one).parent === pid);

/** One field of /proc/PID/status, such as `CapEff` or `NSpid`. */
export function statusField(pid: number | 'self', field: string): string {
  const line = read(`/proc/${pid}/status`)
    .split('\n')
    .find((one) => one.startsWith(`${field}:`));
  return line?.slice(field.length + 1).trim() ?? '';
}

/** Identity of a namespace, such as `pid:[4026531836]`. */
export const namespaceOf = (pid: number | 'self', type: string): string =>
  readlinkSync(`/proc/${pid}/ns/${type}`);

/** Processes that live in a user namespace: a seed's, and so its clones. */
export const livingIn = (userNamespace: string): number[] =>
  allPids().filter((pid) => {
    try {
      return isAlive(pid) && namespaceOf(pid, 'user') === userNamespace;
    } catch {
      return false;
    }
  });

/** Descriptors of a process with what they point to, without those that it closes meanwhile. */
export function openFiles(pid: number): Map<number, string> {
  return new Map(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd): [number, string][] => {
      try {
        return [[Number(fd), readlinkSync(`/proc/${pid}/fd/${fd}`)]];
      } catch {
        return [];
      }
    }),
  );
}

const mentions = (pid: number, text: string): boolean =>
  ['cmdline', 'environ', 'cgroup'].some((file) => read(`/proc/${pid}/${file}`).includes(text));

/** Processes whose command line, environment or cgroup mentions a text. */
export const processesAbout = (text: string): number[] =>
  allPids().filter((pid) => pid !== process.pid && isAlive(pid) && mentions(pid, text));

/** Ids of the children of a process's first thread, without a look at every other process. */
const childrenListed = (pid: number): number[] =>
  read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);

/** The Node process of the daemon that serves a root: the child of the supervisor, which is the child of what holds the lock. */
export function daemonPid(root: string): number | undefined {
  const front = Number(read(join(root, 'turfd.lock')));
  return childrenListed(front)
    .flatMap(childrenListed)
    .find((pid) => isAlive(pid) && read(`/proc/${pid}/cmdline`).includes('daemon/main.js'));
}

/** Directories of cgroups whose name has a text, in every hierarchy. */
export const cgroupsAbout = (text: string): string[] =>
  existsSync('/sys/fs/cgroup') ? findCgroups('/sys/fs/cgroup', text, 6) : [];

function findCgroups(dir: string, text: string, depth: number): string[] {
  if (depth === 0) return [];
  try {
    // The kernel counts a cgroup's directories in its links; most have none, and many files.
    if (statSync(dir).nlink === 2) return [];
    return readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) => {
        const path = `${dir}/${entry.name}`;
        return [...findCgroups(path, text, depth - 1), ...(entry.name.includes(text) ? [path] : [])];
      });
  } catch {
    return [];
  }
}

/** Lines of this mount namespace's mountinfo that mention a text. */
export const mountsAbout = (text: string): string[] =>
  read('/proc/self/mountinfo')
    .split('\n')
    .filter((line) => line.includes(text));
