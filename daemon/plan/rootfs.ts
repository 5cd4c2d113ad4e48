import { TurfError } from '../../cli/turf-error.js';
import { MOUNT_ATTR, PROPAGATION } from '../../oci-spec/mount-options.js';
import { MS_REC, PIVOT_MODE } from './opcodes.js';
import type { PlanContext } from './plan-input.js';

type RootfsPropagation = NonNullable<PlanContext['linux']['rootfsPropagation']>;

/** MS_* of a propagation name; 0 for none. */
const PROPAGATIONS: Record<RootfsPropagation, number> = {
  '': 0,
  shared: PROPAGATION.shared,
  slave: PROPAGATION.slave,
  private: PROPAGATION.private,
  unbindable: PROPAGATION.unbindable,
  rshared: PROPAGATION.shared | MS_REC,
  rslave: PROPAGATION.slave | MS_REC,
  rprivate: PROPAGATION.private | MS_REC,
  runbindable: PROPAGATION.unbindable | MS_REC,
};

/**
 * Cuts the mount namespace from the host's and attaches the root.
 *
 * A new namespace is a slave of the host's: host mounts still appear in it, its own never leave. Only rootfsPropagation "shared" keeps
 * it a peer, which bind mounts with option "rshared" need to reach the host. What the config wants for the root itself is set by the
 * executor after pivot_root(2), which refuses a shared root.
 */
export function attachRoot({ input, linux, plan, ownMounts }: PlanContext): void {
  const wanted = PROPAGATIONS[linux.rootfsPropagation ?? ''];
  const tree = input.rootfsFd === undefined ? -1 : plan.addFd(input.rootfsFd);
  if (ownMounts) plan.propagation('linux.rootfsPropagation', hostSide(wanted), true);
  else if (wanted !== 0) throw needsMountNamespace('linux.rootfsPropagation');
  plan.rootfs('root.path', input.rootfs, tree, wanted);
}

function hostSide(wanted: number): number {
  if ((wanted & PROPAGATION.shared) !== 0) return PROPAGATION.shared;
  // "unbindable" on every mount would forbid the bind mounts that are still to come.
  if ((wanted & (PROPAGATION.private | PROPAGATION.unbindable)) !== 0) return PROPAGATION.private;
  return PROPAGATION.slave;
}

/** Makes the root the root. A mount namespace that others live in keeps its own. */
export function changeRoot({ input, plan, ownMounts }: PlanContext): void {
  const inNamespace = input.noPivot === true ? PIVOT_MODE.MOVE : PIVOT_MODE.PIVOT;
  plan.pivotRoot('root.path', ownMounts ? inNamespace : PIVOT_MODE.CHROOT);
}

/** The root's own mount, not what is mounted below it. */
export function protectRoot({ config, plan, ownMounts }: PlanContext): void {
  if (config.root?.readonly !== true) return;
  if (!ownMounts) throw needsMountNamespace('root.readonly');
  plan.mountSetattr('root.readonly', { target: '/', attrSet: MOUNT_ATTR.RDONLY });
}

/** linux.readonlyPaths, then linux.maskedPaths: a path in both is masked. */
export function protectPaths({ linux, plan, ownMounts }: PlanContext): void {
  const { readonlyPaths = [], maskedPaths = [] } = linux;
  if (!ownMounts) {
    if (readonlyPaths.length > 0) throw needsMountNamespace('linux.readonlyPaths');
    if (maskedPaths.length > 0) throw needsMountNamespace('linux.maskedPaths');
  }
  readonlyPaths.forEach((path, i) => plan.readonlyPath(`linux.readonlyPaths[${i}]`, path));
  maskedPaths.forEach((path, i) => plan.maskPath(`linux.maskedPaths[${i}]`, path));
}

/** A user namespace may not mount in a mount namespace that it does not own. */
export function needsMountNamespace(path: string): TurfError {
  return new TurfError('TURF_ERR_UNSUPPORTED', `${path}: needs a new mount namespace`, { path });
}
