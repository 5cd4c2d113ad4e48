import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { delimiter, join } from 'node:path';

/** Project root, seen from dist/test/integration/harness/. */
export const PROJECT = new URL('../../../../', import.meta.url).pathname;

/** Debian keeps runc, ip and others in sbin, which is not on every PATH. */
const PATHS = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Where a program lies on PATH, or undefined. */
export function which(program: string): string | undefined {
  return PATHS.map((dir) => join(dir, program)).find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return existsSync(file);
    } catch {
      return false;
    }
  });
}

const cgroups = (): string => readFileSync('/proc/self/cgroup', 'utf8');
const hasController = (name: string): boolean =>
  cgroups()
    .split('\n')
    .some((line) => line.split(':')[1]?.split(',').includes(name) === true) ||
  readOr('/sys/fs/cgroup/cgroup.controllers', '').split(/\s+/).includes(name);

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}

function kernelAtLeast(wanted: string): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

function missing(requirement: string): string | undefined {
  const [kind = '', value = ''] = requirement.split(/[:=]/, 2);
  switch (kind) {
    case 'root':
      return process.geteuid?.() === 0 ? undefined : 'needs root';
    case 'turf':
      return existsSync(join(PROJECT, 'dist/native/turf')) ? undefined : 'turf is not built';
    case 'cgroup-v1':
      return existsSync('/sys/fs/cgroup/cgroup.controllers') ? 'needs cgroup v1 or hybrid' : undefined;
    case 'cgroup-v2':
      return existsSync('/sys/fs/cgroup/cgroup.controllers') ? undefined : 'needs cgroup v2';
    case 'controller':
      return hasController(value) ? undefined : `the ${value} cgroup controller is not on this machine`;
    case 'program':
      return which(value) === undefined ? `${value} is not installed` : undefined;
    case 'kernel':
      return kernelAtLeast(value) ? undefined : `needs Linux ${value}`;
    case 'namespace':
      return existsSync(`/proc/self/ns/${value}`) ? undefined : `no ${value} namespaces in this kernel`;
    case 'file':
      return existsSync(value) ? undefined : `${value} does not exist`;
    default:
      throw new Error(`unknown requirement: ${requirement}`);
  }
}

/**
 * Options for `t.test` that skip it with its reason where the machine lacks something. With TURF_MUST_WORK=1 nothing is skipped:
 * the test runs and fails.
 * @param requirements `root`, `turf`, `cgroup-v1`, `cgroup-v2`, `controller:NAME`, `program:NAME`, `kernel:5.12`,
 *   `namespace:NAME`, `file:PATH`; an unknown word throws.
 */
export function requires(...requirements: string[]): { skip: string | false } {
  const reasons = ['root', 'turf', 'program:busybox', ...requirements].map(missing);
  const reason = reasons.find((one) => one !== undefined);
  return { skip: process.env['TURF_MUST_WORK'] === '1' ? false : (reason ?? false) };
}
