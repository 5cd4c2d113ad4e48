import { TurfError } from '../../cli/turf-error.js';
import type { OciLinux } from '../../oci-spec/config.js';
import { NAMESPACES, type NamespaceType } from '../../oci-spec/namespaces.js';
import type { PlanBuilder } from './encode.js';
import { type PlanContext, type PlanInput, SYNC_NAMESPACES } from './plan-input.js';

/** The mount namespace comes last: joining it changes the root that everything else was resolved in. */
const JOIN_ORDER: readonly NamespaceType[] = ['ipc', 'uts', 'network', 'cgroup', 'time', 'mount'];

interface Requested {
  readonly label: string;
  readonly path: string;
}

export interface NamespaceFlags {
  readonly cloneFlags: number;
  readonly userNsJoinIndex: number;
  readonly pidNsJoinIndex: number;
}

/** Which namespaces the config asks for; the last entry of a type counts. */
export function namespacesOf(linux: OciLinux): PlanContext['namespaces'] {
  const requested = requestedNamespaces(linux);
  return {
    has: (type) => requested.has(type),
    isNew: (type) => requested.get(type)?.path === '',
  };
}

/** What the launcher needs before the clone; adds the descriptors of the user and PID namespace to the plan. */
export function namespaceFlags(linux: OciLinux, input: PlanInput, plan: PlanBuilder): NamespaceFlags {
  const requested = requestedNamespaces(linux);
  let cloneFlags = 0;
  for (const [type, { path }] of requested) {
    if (path !== '' || type === 'cgroup' || (type === 'time' && hasOffsets(linux))) continue;
    cloneFlags |= NAMESPACES[type].flag;
  }
  const joined = (type: NamespaceType): number => {
    const entry = requested.get(type);
    return entry === undefined || entry.path === '' ? -1 : plan.addFd(fdOf(type, entry, input));
  };
  return { cloneFlags, userNsJoinIndex: joined('user'), pidNsJoinIndex: joined('pid') };
}

/**
 * Cgroups, joined namespaces, SYNC, the cgroup namespace, and root in a user namespace.
 *
 * The cgroup namespace is unshared after SYNC: its root is the cgroup that the process is in at that moment, and the daemon may
 * attach the process to its v2 cgroup during SYNC.
 */
export function enterNamespaces({ input, linux, plan, namespaces }: PlanContext): void {
  for (const fd of input.cgroup.enterFds) plan.enterCgroup('linux.cgroupsPath', plan.addFd(fd));
  const requested = requestedNamespaces(linux);
  for (const type of JOIN_ORDER) {
    const entry = requested.get(type);
    if (entry === undefined || entry.path === '') continue;
    plan.joinNamespace(`${entry.label}.path`, plan.addFd(fdOf(type, entry, input)), NAMESPACES[type].flag);
  }
  if (input.withoutSync !== true) plan.sync('linux.namespaces', SYNC_NAMESPACES);
  const cgroup = requested.get('cgroup');
  if (cgroup?.path === '') plan.unshare(cgroup.label, NAMESPACES.cgroup.flag);
  const user = requested.get('user');
  if (user !== undefined) plan.becomeRoot(user.label);
  setClocks(plan, linux, requested.get('time'));
  const network = requested.get('network');
  if (network !== undefined && namespaces.isNew('network')) plan.loopbackUp(network.label);
}

function hasOffsets(linux: OciLinux): boolean {
  return Object.keys(linux.timeOffsets ?? {}).length > 0;
}

/** A time namespace takes offsets only while nobody is in it: then the plan makes it, not the clone (time_namespaces(7)). */
function setClocks(plan: PlanBuilder, linux: OciLinux, time: Requested | undefined): void {
  if (time === undefined || !hasOffsets(linux)) return;
  const lines = Object.entries(linux.timeOffsets ?? {}).map(
    ([clock, { secs = 0, nanosecs = 0 }]) => `${clock} ${secs.toString()} ${nanosecs}\n`,
  );
  plan.timeNamespace('linux.timeOffsets', lines.join(''));
}

/** hostname and domainname, in a UTS namespace of the container only. */
export function setNames({ config, plan, namespaces }: PlanContext): void {
  for (const name of ['hostname', 'domainname'] as const) {
    const value = config[name] ?? '';
    if (value === '') continue;
    if (!namespaces.has('uts')) {
      throw new TurfError('TURF_ERR_CONFIG', `${name}: needs a uts namespace`, { path: name });
    }
    if (name === 'hostname') plan.hostname(name, value);
    else plan.domainname(name, value);
  }
}

function requestedNamespaces(linux: OciLinux): Map<NamespaceType, Requested> {
  return new Map(
    (linux.namespaces ?? []).map(({ type, path }, i) => [
      type,
      { label: `linux.namespaces[${i}]`, path: path ?? '' },
    ]),
  );
}

function fdOf(type: NamespaceType, entry: Requested, input: PlanInput): number {
  const fd = input.namespaceFds.get(type);
  if (fd !== undefined) return fd;
  const path = `${entry.label}.path`;
  throw new TurfError('TURF_ERR_CONFIG', `${path}: ${entry.path} was not opened`, { path });
}
