import type { OciConfig, OciMount } from '../config.js';
import { type Report, show } from '../config-error.js';
import { checkMappingList, type HasNamespace } from './namespaces.js';

/** runtime-spec config.md "Mounts" and "Root". */
export function checkMounts(config: OciConfig, has: HasNamespace, report: Report): void {
  const mounts = config.mounts ?? [];
  const hasUserNamespace = config.linux?.namespaces?.some(({ type }) => type === 'user') === true;
  for (const [index, mount] of mounts.entries()) {
    checkMount(mount, `mounts[${index}]`, report);
    checkIdMapping(mount, `mounts[${index}]`, hasUserNamespace, report);
  }
  // Without one they are made aside, but not by a user namespace that owns no mount namespace.
  if (has('mount') || !has('user')) return;
  for (const [name, list] of [
    ['mounts', mounts],
    ['linux.maskedPaths', config.linux?.maskedPaths ?? []],
    ['linux.readonlyPaths', config.linux?.readonlyPaths ?? []],
  ] as const) {
    if (list.length > 0)
      report(name, 'needs a mount namespace in linux.namespaces beside the user namespace');
  }
}

function checkMount(mount: OciMount, path: string, report: Report): void {
  if (mount.destination === '') report(`${path}.destination`, 'must not be empty');
  const options = mount.options ?? [];
  const isBind = isBindMount(mount);
  if (isBind && (mount.source ?? '') === '') report(`${path}.source`, 'is required for a bind mount');
  if (!isBind && !options.includes('remount') && (mount.type ?? '') === '')
    report(`${path}.type`, 'is required: the mount is no bind mount');
  for (const [index, option] of options.entries()) {
    if (option === '') report(`${path}.options[${index}]`, 'must not be empty');
  }
}

function isBindMount({ type, options = [] }: OciMount): boolean {
  return options.includes('bind') || options.includes('rbind') || type === 'bind';
}

/** Mappings of the mount's own, or those of the container's user namespace. */
function checkIdMapping(mount: OciMount, path: string, hasUserNamespace: boolean, report: Report): void {
  const { uidMappings = [], gidMappings = [], options = [] } = mount;
  if (uidMappings.length > 0 && gidMappings.length === 0)
    report(`${path}.gidMappings`, 'is required beside uidMappings');
  if (gidMappings.length > 0 && uidMappings.length === 0)
    report(`${path}.uidMappings`, 'is required beside gidMappings');
  checkMappingList(uidMappings, `${path}.uidMappings`, report);
  checkMappingList(gidMappings, `${path}.gidMappings`, report);
  const at = options.findIndex((option) => option === 'idmap' || option === 'ridmap');
  const hasOwn = uidMappings.length > 0 || gidMappings.length > 0;
  if (at === -1 && !hasOwn) return;
  const field = at === -1 ? `${path}.uidMappings` : `${path}.options[${at}]`;
  if (!isBindMount(mount)) report(field, 'is for bind mounts only');
  else if (!hasOwn && !hasUserNamespace)
    report(field, `"${options[at] ?? ''}" needs uidMappings and gidMappings, or a user namespace`);
}

/** Every entry must be absolute in the container. */
export function checkPathList(name: string, paths: readonly string[], report: Report): void {
  for (const [index, path] of paths.entries()) {
    if (!path.startsWith('/')) report(`${name}[${index}]`, `must be an absolute path, got ${show(path)}`);
  }
}

/** Relative destinations are deprecated, and mean relative to `/`. */
export function mountWarnings(mounts: readonly OciMount[], report: Report): void {
  for (const [index, { destination, uidMappings = [], options = [] }] of mounts.entries()) {
    if (uidMappings.length > 0 && !options.includes('idmap') && !options.includes('ridmap'))
      report(`mounts[${index}].uidMappings`, 'has neither "idmap" nor "ridmap" beside it: taken as "idmap"');
    if (destination !== '' && !destination.startsWith('/'))
      report(`mounts[${index}].destination`, `relative path ${show(destination)} is taken as relative to /`);
  }
}
