import type { OciConfig, OciMount } from '../config.js';
import { type Report, show } from '../config-error.js';
import type { HasNamespace } from './namespaces.js';

/** runtime-spec config.md "Mounts" and "Root". */
export function checkMounts(config: OciConfig, has: HasNamespace, report: Report): void {
  const mounts = config.mounts ?? [];
  for (const [index, mount] of mounts.entries()) checkMount(mount, `mounts[${index}]`, report);
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
  const isBind = options.includes('bind') || options.includes('rbind') || mount.type === 'bind';
  if (isBind && (mount.source ?? '') === '') report(`${path}.source`, 'is required for a bind mount');
  if (!isBind && !options.includes('remount') && (mount.type ?? '') === '')
    report(`${path}.type`, 'is required: the mount is no bind mount');
  for (const [index, option] of options.entries()) {
    if (option === '') report(`${path}.options[${index}]`, 'must not be empty');
  }
  const hasUids = (mount.uidMappings ?? []).length > 0;
  const hasGids = (mount.gidMappings ?? []).length > 0;
  if (hasUids && !hasGids) report(`${path}.gidMappings`, 'is required beside uidMappings');
  if (hasGids && !hasUids) report(`${path}.uidMappings`, 'is required beside gidMappings');
}

/** Every entry must be absolute in the container. */
export function checkPathList(name: string, paths: readonly string[], report: Report): void {
  for (const [index, path] of paths.entries()) {
    if (!path.startsWith('/')) report(`${name}[${index}]`, `must be an absolute path, got ${show(path)}`);
  }
}

/** Relative destinations are deprecated, and mean relative to `/`. */
export function mountWarnings(mounts: readonly OciMount[], report: Report): void {
  for (const [index, { destination }] of mounts.entries()) {
    if (destination !== '' && !destination.startsWith('/'))
      report(`mounts[${index}].destination`, `relative path ${show(destination)} is taken as relative to /`);
  }
}
