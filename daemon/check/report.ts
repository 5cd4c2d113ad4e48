import type { CheckItem, CheckReport } from '../../cli/check-report.js';
import { gatherFacts, type MachineFacts } from './facts.js';

const MINIMUM_KERNEL = [5, 12] as const;
const MINIMUM_NODE = [20, 11] as const;
const CAP_SYS_ADMIN = 21;
const CAP_SYS_RESOURCE = 24;

interface Finding extends CheckItem {
  /** turf does not work without it. */
  readonly required: boolean;
}

/** Compares the first two numbers of a version. */
export function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [a = 0, b = 0] = version.split('.').map((part) => parseInt(part, 10));
  return a > major || (a === major && b >= minor);
}

function finding(name: string, ok: boolean, found: string, without: string, required = false): Finding {
  return { name, ok, found, without: ok ? '' : without, required };
}

const SYSCALLS = [
  ['openat2', 'container paths cannot be resolved safely: no container can be created'],
  ['clone3', 'no container can be launched'],
  ['fsopen', 'the mounts of a container cannot be made: no container can be created'],
  ['mount_setattr', 'recursive mount attributes cannot be set: no container can be created'],
  ['pidfd_open', 'processes cannot be watched: no container can be created'],
  ['pidfd_getfd', "a caller's descriptors cannot be taken over: the turf command does not work, REST does"],
  ['close_range', 'descriptors could leak into containers: no container can be created'],
] as const;

const NAMESPACES = [
  ['mnt', 'no container can be created', true],
  ['pid', 'containers see the processes of the host', true],
  ['ipc', 'containers share System V IPC and message queues with the host', true],
  ['uts', 'containers share the host name', true],
  ['net', 'containers share the network of the host', true],
  ['user', 'seeds cannot run without host privileges: no seed, no worker; uidMappings are refused', true],
  ['cgroup', 'containers see the cgroup paths of the host', false],
  ['time', 'linux.timeOffsets is refused', false],
] as const;

const CONTROLLERS = [
  ['memory', ['memory'], 'linux.resources.memory and --memory are refused'],
  ['cpu', ['cpu'], 'linux.resources.cpu and --cpus are refused'],
  ['cpuset', ['cpuset'], 'linux.resources.cpu.cpus and .mems are refused'],
  ['pids', ['pids'], 'linux.resources.pids is refused'],
  ['io', ['io', 'blkio'], 'linux.resources.blockIO is refused'],
  ['hugetlb', ['hugetlb'], 'linux.resources.hugepageLimits is refused'],
  ['rdma', ['rdma'], 'linux.resources.rdma is refused'],
] as const;

function kernel(facts: MachineFacts): readonly Finding[] {
  const exitInfo = isAtLeast(facts.kernel, [6, 15])
    ? 'remembered by pidfds'
    : facts.processEvents
      ? 'process events'
      : undefined;
  return [
    finding(
      'kernel.version',
      isAtLeast(facts.kernel, MINIMUM_KERNEL),
      facts.kernel,
      'turf needs Linux 5.12',
      true,
    ),
    ...SYSCALLS.map(([name, without]) => {
      const has = facts.syscalls[name];
      return finding(`kernel.${name}`, has, has ? 'available' : 'missing', without, true);
    }),
    finding(
      'kernel.exit-status',
      exitInfo !== undefined,
      exitInfo ?? 'missing (Linux 6.15, or CONFIG_PROC_EVENTS)',
      'exit codes are lost of containers whose parent is not turf: those made by the command line or an engine',
    ),
    ...NAMESPACES.map(([name, without, required]) => {
      const has = facts.namespaces.includes(name);
      return finding(`namespace.${name}`, has, has ? 'available' : 'missing', without, required);
    }),
  ];
}

function userNamespaces({ maxUserNamespaces: max, ...facts }: MachineFacts): readonly Finding[] {
  const isRoot = facts.capabilities.has(CAP_SYS_ADMIN);
  return [
    finding(
      'namespace.user-limit',
      max !== undefined && max > 0,
      max === undefined ? 'no limit is known' : `user.max_user_namespaces = ${max}`,
      'no user namespace can be made: no seed, no worker; uidMappings fail',
      true,
    ),
    finding(
      'namespace.user-apparmor',
      !facts.apparmorRestrictsUserNamespaces || isRoot,
      facts.apparmorRestrictsUserNamespaces ? 'restricted for unprivileged users' : 'not restricted',
      'without CAP_SYS_ADMIN no user namespace can be made (kernel.apparmor_restrict_unprivileged_userns)',
    ),
  ];
}

function cgroups({ cgroups: layout, controllers }: MachineFacts): readonly Finding[] {
  const devices = layout?.mode === 'v2' || controllers.includes('devices');
  const freezer = layout?.mode === 'v2' || controllers.includes('freezer');
  return [
    finding(
      'cgroup.mode',
      layout !== undefined,
      layout?.mode ?? 'not mounted',
      'no container can be created',
      true,
    ),
    ...CONTROLLERS.map(([name, any, without]) => {
      const has = any.some((controller) => controllers.includes(controller));
      return finding(`cgroup.${name}`, has, has ? 'available' : 'missing', without);
    }),
    finding(
      'cgroup.devices',
      devices,
      layout?.mode === 'v2' ? 'eBPF' : devices ? 'available' : 'missing',
      'device access cannot be restricted: no container can be created',
      true,
    ),
    finding(
      'cgroup.freezer',
      freezer,
      freezer ? 'available' : 'missing',
      'turf pause and resume do not work',
    ),
  ];
}

function security(facts: MachineFacts): readonly Finding[] {
  const { seccompActions, libseccomp, lsm } = facts;
  const noSeccomp = 'linux.seccomp is refused, and workers are not isolated by a filter';
  const visible = lsm.join(' ') || 'none visible';
  return [
    finding('seccomp', seccompActions.length > 0, seccompActions.join(' ') || 'missing', noSeccomp),
    finding(
      'seccomp.notify',
      seccompActions.includes('user_notif'),
      'user_notif',
      'SCMP_ACT_NOTIFY is refused',
    ),
    finding('seccomp.libseccomp', libseccomp !== undefined, libseccomp ?? 'missing', noSeccomp),
    finding('lsm.apparmor', lsm.includes('apparmor'), visible, 'process.apparmorProfile is refused'),
    finding(
      'lsm.selinux',
      lsm.includes('selinux'),
      visible,
      'process.selinuxLabel is refused, linux.mountLabel is ignored',
    ),
    ...(
      [
        ['SYS_ADMIN', CAP_SYS_ADMIN, 'no container can be created', true],
        ['SYS_RESOURCE', CAP_SYS_RESOURCE, 'hard limits in process.rlimits cannot be raised', false],
      ] as const
    ).map(([name, bit, without, required]) => {
      const has = facts.capabilities.has(bit);
      return finding(`capability.CAP_${name}`, has, has ? 'held' : 'missing', without, required);
    }),
  ];
}

function environment(facts: MachineFacts): readonly Finding[] {
  const { transparent, reserved, sizes } = facts.hugepages;
  const found = `transparent: ${transparent}; reserved pages: ${reserved}; sizes: ${sizes.join(' ') || 'none'}`;
  return [
    finding(
      'filesystem.overlay',
      facts.overlayfs,
      facts.overlayfs ? 'available' : 'missing',
      'overlay mounts fail',
    ),
    finding(
      'node.version',
      isAtLeast(facts.node, MINIMUM_NODE),
      facts.node,
      'turf needs Node.js 20.11',
      true,
    ),
    finding(
      'systemd',
      facts.systemd,
      facts.systemd ? 'running' : 'not running',
      '--systemd-cgroup is refused; the cgroupfs manager works',
    ),
    finding(
      'criu',
      facts.criu !== undefined,
      facts.criu ?? 'not installed',
      'checkpoints of containers cannot be made',
    ),
    finding(
      'memory.hugepages',
      transparent === 'always' || transparent === 'madvise',
      found,
      'forking a large seed takes about four times as long',
    ),
  ];
}

/** Judges facts: `ok` is false where something is missing that turf cannot work without. */
export function reportOn(facts: MachineFacts): CheckReport {
  const findings = [kernel, userNamespaces, cgroups, security, environment].flatMap((part) => part(facts));
  return {
    ok: findings.every(({ ok, required }) => ok || !required),
    items: findings.map(({ name, ok, found, without }) => ({ name, ok, found, without })),
  };
}

/** What this machine offers, and what of turf works without what is missing. */
export function machineReport(): CheckReport {
  return reportOn(gatherFacts());
}
