import path from 'node:path';
import { TurfError } from '../../cli/turf-error.js';
import { MOUNT_ATTR } from '../../oci-spec/mount-options.js';
import { mountCgroups } from './cgroup-mounts.js';
import { needsMountNamespace } from './rootfs.js';
import { changePropagation, type PlannedMount, planMount, splitPropagation } from './planned-mount.js';
import { MOUNT_FLAG } from './opcodes.js';
import type { PlanContext } from './plan-input.js';

/** File systems without a device behind them: read-only is a property of the mount, never of the superblock. */
const VIRTUAL = new Set([
  'tmpfs',
  'proc',
  'sysfs',
  'devpts',
  'mqueue',
  'cgroup',
  'cgroup2',
  'securityfs',
  'debugfs',
  'bpf',
]);

/** Whose files SELinux labels by its policy: they take no context= (selinux fs_use and genfscon rules). */
const LABELLED_BY_POLICY = new Set(['proc', 'sysfs', 'mqueue', 'cgroup', 'cgroup2']);

/**
 * config.mounts, in order.
 *
 * @returns the mounts that become read-only once everything is in them (finishMounts)
 */
export function makeMounts(context: PlanContext): PlannedMount[] {
  const { config, ownMounts } = context;
  const mounts = config.mounts ?? [];
  if (mounts.length > 0 && !ownMounts) {
    throw needsMountNamespace('mounts');
  }
  const deferred: PlannedMount[] = [];
  mounts.forEach((mount, index) => {
    const planned = planMount(mount, index);
    if (planned.options.remount) remount(context, planned);
    else if (planned.bind !== false) bind(context, planned);
    else if (mount.type === 'cgroup') mountCgroups(context, planned);
    else if (mount.type === 'sysfs' && isForeignSysfs(context)) bindSysfs(context, planned);
    else if (mountNew(context, planned) === 'read-only later') deferred.push(planned);
  });
  return deferred;
}

/** Read-only for tmpfs and /dev, into which devices, links and targets of other mounts had to be written first. */
export function finishMounts({ plan }: PlanContext, deferred: readonly PlannedMount[]): void {
  for (const { label, target } of deferred) {
    plan.mountSetattr(label, { target, attrSet: MOUNT_ATTR.RDONLY });
  }
}

function bind({ input, plan }: PlanContext, planned: PlannedMount): void {
  const { label, index, mount, target, options } = planned;
  // Configs carry `mode=755` and `sync` over from other mounts; mount(2) ignores data and superblock flags of a bind mount.
  const meant = options.data.filter(([, value]) => value === '');
  const left = { ...options, data: meant, superblock: [] };
  refuseFilesystemOptions({ ...planned, options: left }, 'has no meaning for a bind mount');
  const fd = input.bindSourceFds?.get(index);
  const { first, others } = splitPropagation(planned);
  plan.mountBind(label, {
    source: path.resolve(input.bundle, mount.source ?? ''),
    tree: fd === undefined ? -1 : plan.addFd(fd),
    target,
    attrSet: options.attrSet,
    attrClear: options.attrClear,
    attrSetRecursive: options.attrSetRecursive,
    attrClearRecursive: options.attrClearRecursive,
    propagation: first,
    flags: MOUNT_FLAG.CREATE_LIKE | (planned.bind === 'rbind' ? MOUNT_FLAG.RECURSIVE : 0),
  });
  changePropagation(plan, planned, others);
}

function mountNew({ input, linux, plan }: PlanContext, planned: PlannedMount): 'done' | 'read-only later' {
  const { label, mount, target, options } = planned;
  const fstype = mount.type ?? '';
  const attrs = options.attrSet | options.attrSetRecursive;
  const isReadOnly = (attrs & MOUNT_ATTR.RDONLY) !== 0;
  const isDeferred = isReadOnly && (fstype === 'tmpfs' || target === '/dev');
  const data = options.superblock.map((key): readonly [string, string] => [key, '']).concat(options.data);
  if (isReadOnly && !VIRTUAL.has(fstype)) data.push(['ro', '']);
  // Without SELinux there is no label to give, and runtimes let it pass.
  const isLabelled = (linux.mountLabel ?? '') !== '' && input.selinux !== false;
  if (isLabelled && !LABELLED_BY_POLICY.has(fstype)) {
    data.push(['context', linux.mountLabel ?? '']);
  }
  const { first, others } = splitPropagation(planned);
  plan.mountFs(label, {
    fstype,
    source: mount.source ?? fstype,
    target,
    attrSet: isDeferred ? attrs & ~MOUNT_ATTR.RDONLY : attrs,
    propagation: first,
    flags: MOUNT_FLAG.CREATE_DIR | (options.tmpcopyup ? MOUNT_FLAG.COPY_UP : 0),
    data,
  });
  changePropagation(plan, planned, others);
  return isDeferred ? 'read-only later' : 'done';
}

function remount({ plan }: PlanContext, planned: PlannedMount): void {
  const { label, target, options } = planned;
  // With `bind` a remount is one of the mount alone, as for mount(2).
  const changes = options.superblock.map((key): readonly [string, string] => [key, '']).concat(options.data);
  if (planned.bind !== false)
    refuseFilesystemOptions(planned, 'cannot be changed by a remount of a bind mount');
  else if (changes.length > 0) plan.reconfigure(label, target, changes);
  plan.mountSetattr(label, { target, attrSet: options.attrSet, attrClear: options.attrClear });
  if (options.attrSetRecursive !== 0 || options.attrClearRecursive !== 0) {
    plan.mountSetattr(label, {
      target,
      attrSet: options.attrSetRecursive,
      attrClear: options.attrClearRecursive,
      recursive: true,
    });
  }
  changePropagation(plan, planned, planned.propagations);
}

/** sysfs shows one network namespace, and only an owner of that namespace may mount it (sysfs(5), kernel fs/sysfs/mount.c). */
function isForeignSysfs({ namespaces }: PlanContext): boolean {
  return namespaces.has('user') && !namespaces.has('network');
}

/** The host's mounts below /sys come along: the kernel refuses to uncover what they hide to a user namespace's root. */
function bindSysfs({ plan }: PlanContext, planned: PlannedMount): void {
  const { label, target, options } = planned;
  const { first, others } = splitPropagation(planned);
  plan.mountBind(label, {
    source: '/sys',
    target,
    attrSetRecursive: options.attrSet | options.attrSetRecursive,
    propagation: first,
    flags: MOUNT_FLAG.CREATE_DIR | MOUNT_FLAG.RECURSIVE,
  });
  changePropagation(plan, planned, others);
}

function refuseFilesystemOptions({ label, options }: PlannedMount, reason: string): void {
  const option = options.superblock[0] ?? options.data[0]?.[0];
  if (option === undefined) return;
  const at = `${label}.options`;
  throw new TurfError('TURF_ERR_UNSUPPORTED', `${at}: "${option}" ${reason}`, { path: at });
}
