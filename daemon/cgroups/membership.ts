import { readFileSync } from 'node:fs';
import { type CgroupFacts } from './facts.js';

/**
 * Whether a process is in a cgroup, in every hierarchy that the cgroup has: what the kernel says (cgroups(7), /proc/PID/cgroup), whatever the process
 * has reported itself.
 *
 * @param text content of /proc/PID/cgroup; default: read now. A process that has gone is in none.
 */
export function isMember(pid: number, cgroup: CgroupFacts, text = membership(pid)): boolean {
  const places = new Map<string, string>();
  for (const line of text.trim().split('\n')) {
    const [, controllers = '', ...path] = line.split(':');
    for (const controller of controllers.split(',')) places.set(controller, path.join(':'));
  }
  const { hierarchies, unified } = cgroup;
  // A daemon that sees its hierarchies mounted from below their root reads the longer path here.
  const isThere = (controller: string): boolean => places.get(controller)?.endsWith(cgroup.path) === true;
  return (
    hierarchies.every(({ controllers }) => isThere(controllers[0] ?? '')) &&
    (unified === undefined || isThere(''))
  );
}

function membership(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch {
    return '';
  }
}
