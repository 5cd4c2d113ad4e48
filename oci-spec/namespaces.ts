/** Namespace types of runtime-spec config-linux.md "Namespaces": clone(2) flag and name below /proc/PID/ns. */
export const NAMESPACES = {
  cgroup: { flag: 0x02000000, proc: 'cgroup' },
  ipc: { flag: 0x08000000, proc: 'ipc' },
  mount: { flag: 0x00020000, proc: 'mnt' },
  network: { flag: 0x40000000, proc: 'net' },
  pid: { flag: 0x20000000, proc: 'pid' },
  time: { flag: 0x00000080, proc: 'time' },
  user: { flag: 0x10000000, proc: 'user' },
  uts: { flag: 0x04000000, proc: 'uts' },
} as const;

export type NamespaceType = keyof typeof NAMESPACES;

export const NAMESPACE_TYPES: readonly NamespaceType[] = [
  'cgroup',
  'ipc',
  'mount',
  'network',
  'pid',
  'time',
  'user',
  'uts',
];
