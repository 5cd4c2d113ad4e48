import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { libseccompVersion, type ProbedSyscall, probeSyscalls } from '../../native-shim/probe.js';
import { tryReadControl } from '../cgroups/control-file.js';
import { type CgroupLayout, parseLayout } from '../cgroups/layout.js';

/** What this machine is, as far as turf cares: also what `turf features` is made from. */
export interface MachineFacts {
  /** uname release. */
  readonly kernel: string;
  readonly syscalls: Readonly<Record<ProbedSyscall, boolean>>;
  /** As below /proc/self/ns: `mnt`, `pid`, … */
  readonly namespaces: readonly string[];
  /** user.max_user_namespaces; undefined where the kernel has no user namespaces. */
  readonly maxUserNamespaces: number | undefined;
  /** kernel.apparmor_restrict_unprivileged_userns is 1. */
  readonly apparmorRestrictsUserNamespaces: boolean;
  /** undefined: none is mounted. */
  readonly cgroups: CgroupLayout | undefined;
  /** Controllers by name, without `name=` hierarchies. */
  readonly controllers: readonly string[];
  /** Actions of seccomp filters; empty: no filters. */
  readonly seccompActions: readonly string[];
  readonly libseccomp: string | undefined;
  /** Active security modules as far as visible. */
  readonly lsm: readonly string[];
  /** In the kernel, or a module that the first mount loads. */
  readonly overlayfs: boolean;
  /** The kernel's process events can be listened to (CONFIG_PROC_EVENTS). */
  readonly processEvents: boolean;
  /** Effective capabilities of the daemon, by number. */
  readonly capabilities: ReadonlySet<number>;
  readonly node: string;
  readonly systemd: boolean;
  /** Absolute path. */
  readonly criu: string | undefined;
  readonly hugepages: {
    readonly transparent: string;
    readonly reserved: number;
    /** Sizes as `2MB`. */
    readonly sizes: readonly string[];
  };
}

/** Collaborators of gatherFacts that a test replaces. */
export interface FactSources {
  /** Prefix of every file looked at; default: none. */
  readonly root?: string;
  readonly syscalls?: () => Readonly<Record<ProbedSyscall, boolean>>;
  readonly libseccomp?: () => string | undefined;
  readonly searchPath?: string;
}

function names(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function layoutOf(mountinfo: string): CgroupLayout | undefined {
  try {
    return parseLayout(mountinfo);
  } catch {
    return undefined;
  }
}

const words = (text: string): readonly string[] => text.split(/[\s,]+/).filter((word) => word !== '');

/** Bits of `CapEff:` in /proc/PID/status. */
export function parseCapabilities(status: string): ReadonlySet<number> {
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return new Set(
    Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => ((mask >> BigInt(bit)) & 1n) === 1n),
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** `hugepages-2048kB` as `2MB`, the way the hugetlb controller names sizes. */
export function hugepageSizeName(directory: string): string | undefined {
  const kilobytes = Number(/^hugepages-(\d+)kB$/.exec(directory)?.[1]);
  if (!Number.isInteger(kilobytes)) return undefined;
  if (kilobytes >= 1 << 20) return `${kilobytes >> 20}GB`;
  return kilobytes >= 1 << 10 ? `${kilobytes >> 10}MB` : `${kilobytes}KB`;
}

function lsms(root: string, read: (file: string) => string): readonly string[] {
  const listed = words(read('/sys/kernel/security/lsm'));
  if (listed.length > 0) return listed;
  /* securityfs is not mounted: each module shows itself elsewhere */
  return [
    ...(read('/sys/module/apparmor/parameters/enabled') === 'Y' ? ['apparmor'] : []),
    ...(existsSync(`${root}/sys/fs/selinux/enforce`) ? ['selinux'] : []),
  ];
}

/** Looks at the machine. Needs no privilege and changes nothing; takes a few milliseconds. */
export function gatherFacts(sources: FactSources = {}): MachineFacts {
  const { root = '', searchPath = process.env['PATH'] ?? '' } = sources;
  const read = (file: string): string => tryReadControl(root + file) ?? '';
  const readLong = (file: string): string =>
    existsSync(root + file) ? readFileSync(root + file, 'utf8') : '';
  const cgroups = layoutOf(readLong('/proc/self/mountinfo'));
  const unified = cgroups?.mode === 'v2' ? cgroups.root : cgroups?.unified;
  const v1 = cgroups === undefined || cgroups.mode === 'v2' ? [] : cgroups.hierarchies;
  const maxUserNamespaces = read('/proc/sys/user/max_user_namespaces');
  const meminfo = readLong('/proc/meminfo');
  return {
    kernel: read('/proc/sys/kernel/osrelease'),
    syscalls: (sources.syscalls ?? probeSyscalls)(),
    namespaces: names(`${root}/proc/self/ns`).filter((name) => !name.endsWith('_for_children')),
    maxUserNamespaces: maxUserNamespaces === '' ? undefined : Number(maxUserNamespaces),
    apparmorRestrictsUserNamespaces: read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1',
    cgroups,
    controllers: [
      ...v1.flatMap(({ controllers }) => controllers).filter((name) => !name.startsWith('name=')),
      ...(unified === undefined ? [] : words(read(join(unified, 'cgroup.controllers')))),
    ],
    seccompActions: words(read('/proc/sys/kernel/seccomp/actions_avail')),
    libseccomp: (sources.libseccomp ?? libseccompVersion)(),
    lsm: lsms(root, read),
    overlayfs:
      /\toverlay$/m.test(readLong('/proc/filesystems')) ||
      /\/overlay\.ko/.test(readLong(`/lib/modules/${read('/proc/sys/kernel/osrelease')}/modules.dep`)),
    processEvents: /^cn_proc\s/m.test(readLong('/proc/net/connector')),
    capabilities: parseCapabilities(readLong('/proc/self/status')),
    node: process.versions.node,
    systemd: existsSync(`${root}/run/systemd/system`),
    criu: searchPath
      .split(':')
      .filter((directory) => directory.startsWith('/'))
      .map((directory) => join(directory, 'criu'))
      .find(isExecutable),
    hugepages: {
      transparent: /\[(\w+)\]/.exec(read('/sys/kernel/mm/transparent_hugepage/enabled'))?.[1] ?? 'none',
      reserved: Number(/^HugePages_Total:\s*(\d+)/m.exec(meminfo)?.[1] ?? 0),
      sizes: names(`${root}/sys/kernel/mm/hugepages`).flatMap((name) => hugepageSizeName(name) ?? []),
    },
  };
}
