import { TurfError } from '../../cli/turf-error.js';
import { MOUNT_ATTR } from '../../oci-spec/mount-options.js';
import { MOUNT_FLAG } from './opcodes.js';
import type { CgroupHierarchy, PlanContext } from './plan-input.js';
import { changePropagation, type PlannedMount } from './planned-mount.js';

/** A data option without "=" or with: `cpu`, `name=systemd`. */
type Data = readonly (readonly [string, string])[];

/**
 * A mount of type "cgroup": the container's own part of every hierarchy, whatever the host's layout. In a cgroup namespace new mounts show
 * it; without one its directories are bound.
 */
export function mountCgroups(context: PlanContext, planned: PlannedMount): void {
  const { plan, input } = context;
  const { label, target, options } = planned;
  const view = input.cgroup.mounts;
  const attrs = options.attrSet | options.attrSetRecursive;

  if (view.mode === 'v2') mountUnified(context, planned, target, attrs, options.data);
  else {
    // The tmpfs stays writable until the directories of the hierarchies are in it.
    plan.mountFs(label, {
      fstype: 'tmpfs',
      source: 'tmpfs',
      target,
      attrSet: attrs & ~MOUNT_ATTR.RDONLY,
      flags: MOUNT_FLAG.CREATE_DIR,
      data: [['mode', '755']],
    });
    for (const hierarchy of view.hierarchies) mountHierarchy(context, planned, hierarchy, attrs);
    if (view.mode === 'hybrid' && view.unifiedHostPath !== undefined) {
      mountUnified(context, planned, `${target}/unified`, attrs, []);
    }
    if ((attrs & MOUNT_ATTR.RDONLY) !== 0) plan.mountSetattr(label, { target, attrSet: MOUNT_ATTR.RDONLY });
  }

  changePropagation(plan, planned, planned.propagations);
}

function mountHierarchy(
  { plan, namespaces }: PlanContext,
  { label, target }: PlannedMount,
  { controllers, mountName, hostPath }: CgroupHierarchy,
  attrSet: number,
): void {
  const directory = `${target}/${mountName}`;
  if (namespaces.has('cgroup')) {
    const data: Data = controllers.map((name) => {
      const [key = '', value = ''] = name.split('=', 2);
      return [key, value];
    });
    const flags = MOUNT_FLAG.CREATE_DIR;
    plan.mountFs(label, { fstype: 'cgroup', source: 'cgroup', target: directory, attrSet, flags, data });
  } else {
    plan.mountBind(label, { source: hostPath, target: directory, attrSet, flags: MOUNT_FLAG.CREATE_DIR });
  }
  // Programs look for /sys/fs/cgroup/cpu; systemd and we mount cpu,cpuacct.
  if (!mountName.includes(',')) return;
  for (const name of mountName.split(',')) plan.symlink(label, mountName, `${target}/${name}`);
}

function mountUnified(
  { plan, namespaces, input }: PlanContext,
  { label, mount }: PlannedMount,
  target: string,
  attrSet: number,
  data: Data,
): void {
  const flags = MOUNT_FLAG.CREATE_DIR;
  if (namespaces.has('cgroup')) {
    plan.mountFs(label, {
      fstype: 'cgroup2',
      source: mount.source ?? 'cgroup',
      target,
      attrSet,
      flags,
      data,
    });
    return;
  }
  const source = input.cgroup.mounts.unifiedHostPath;
  if (source === undefined) {
    throw new TurfError('TURF_ERR_CGROUP', `${label}: the container has no cgroup v2 to bind`, {
      path: label,
    });
  }
  plan.mountBind(label, { source, target, attrSet, flags });
}
