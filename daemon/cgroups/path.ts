import { TurfError } from '../../cli/turf-error.js';

/** What `linux.cgroupsPath` asks for. */
export type CgroupLocation =
  | {
      readonly manager: 'cgroupfs';
      /** Below each hierarchy's mount point; starts with `/`. */ readonly path: string;
    }
  | {
      readonly manager: 'systemd';
      /** Ends in `.slice`; empty: systemd's own default. */
      readonly slice: string;
      /** Ends in `.scope`, or in `.slice` where the container is a slice itself. */
      readonly unit: string;
    };

const FIELD = 'linux.cgroupsPath';

function refuse(value: string, why: string): never {
  throw new TurfError('TURF_ERR_CONFIG', `${FIELD}: ${JSON.stringify(value)} ${why}`, { path: FIELD });
}

/**
 * Reads `linux.cgroupsPath` for the cgroupfs manager: an absolute path is taken as it is, a relative one lies below `/turf`, and
 * the default is `/turf/<id>` (runtime-spec config-linux.md, "Cgroups Path").
 *
 * @throws TurfError TURF_ERR_CONFIG on `..`, control characters, the root, or the systemd form
 */
export function cgroupfsLocation(id: string, cgroupsPath?: string): CgroupLocation {
  if (cgroupsPath === undefined || cgroupsPath === '') return { manager: 'cgroupfs', path: `/turf/${id}` };
  if (/^[^/]*:[^/]*:[^/]*$/.test(cgroupsPath)) {
    refuse(cgroupsPath, 'has the form slice:prefix:name, which needs the systemd cgroup manager');
  }
  // eslint-disable-next-line no-control-regex -- the kernel refuses a newline, a NUL would cut the path
  if (/[\u0000-\u001f]/.test(cgroupsPath)) refuse(cgroupsPath, 'has control characters');
  const parts = cgroupsPath.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) refuse(cgroupsPath, 'must not contain ..');
  if (parts.length === 0) refuse(cgroupsPath, 'is the root of the hierarchy');
  return { manager: 'cgroupfs', path: `${cgroupsPath.startsWith('/') ? '' : '/turf'}/${parts.join('/')}` };
}

/**
 * Reads `linux.cgroupsPath` for the systemd manager: `slice:prefix:name`; the default is a scope `turf-<id>.scope` in
 * `system.slice`.
 *
 * @throws TurfError TURF_ERR_CONFIG
 */
export function systemdLocation(id: string, cgroupsPath?: string): CgroupLocation {
  if (cgroupsPath === undefined || cgroupsPath === '') {
    return { manager: 'systemd', slice: 'system.slice', unit: `turf-${id}.scope` };
  }
  const [slice = '', prefix, name, ...rest] = cgroupsPath.split(':');
  if (prefix === undefined || name === undefined || name === '' || rest.length > 0) {
    refuse(cgroupsPath, 'does not have the form slice:prefix:name that the systemd cgroup manager needs');
  }
  for (const part of [slice, prefix, name]) {
    if (!/^[A-Za-z0-9_.@\\-]*$/.test(part) || part === '..') {
      refuse(cgroupsPath, 'has characters that a systemd unit name cannot hold');
    }
  }
  if (slice !== '' && !slice.endsWith('.slice'))
    refuse(cgroupsPath, 'names a slice that does not end in .slice');
  const unit = name.endsWith('.slice') ? name : `${prefix === '' ? '' : `${prefix}-`}${name}.scope`;
  return { manager: 'systemd', slice: slice === '' ? 'system.slice' : slice, unit };
}

/**
 * The path of a slice: `a-b.slice` lies in `a.slice` (systemd.slice(5)).
 *
 * @returns absolute path below the hierarchy's mount point
 * @throws TurfError TURF_ERR_CONFIG on an empty part, as in `a--b.slice`
 */
export function slicePath(slice: string): string {
  if (slice === '-.slice') return '';
  const parts = slice.slice(0, -'.slice'.length).split('-');
  if (parts.includes('')) refuse(slice, 'is not a valid slice name');
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('-')}.slice`).join('');
}
