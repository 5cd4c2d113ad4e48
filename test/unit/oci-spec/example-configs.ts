/** The smallest container that every rule accepts, as a plain document. */
export const CONTAINER: Json = {
  ociVersion: '1.2.0',
  process: { user: { uid: 0, gid: 0 }, args: ['/bin/true'], cwd: '/' },
  root: { path: 'rootfs' },
  linux: {
    namespaces: [{ type: 'pid' }, { type: 'network' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }],
  },
};

/** The smallest worker bundle. */
export const WORKER: Json = { ociVersion: '1.2.0', turf: { runtime: 'aworker', code: 'code' } };

export interface Json {
  readonly [name: string]: unknown;
}

/** RFC 7396: objects are merged, null removes, everything else replaces. */
export function patched(document: Json, patch: Json): Json {
  const result: Record<string, unknown> = { ...document };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) {
      Reflect.deleteProperty(result, name);
    } else if (isObject(value)) {
      const before = result[name];
      result[name] = patched(isObject(before) ? before : {}, value);
    } else result[name] = value;
  }
  return result;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What podman 4 and 5 write for a rootful `run --network none`, by structure. */
export const PODMAN: Json = {
  ociVersion: '1.1.0+dev',
  process: {
    user: { uid: 0, gid: 0, umask: 18, additionalGids: [0, 1, 2, 10] },
    args: ['echo', 'hi'],
    env: ['PATH=/usr/bin:/bin', 'container=podman', 'HOME=/root', 'HOSTNAME=3c7d9a1b2e4f'],
    cwd: '/',
    capabilities: {
      bounding: ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_SYS_CHROOT'],
      effective: ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_SYS_CHROOT'],
      permitted: ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_SYS_CHROOT'],
    },
    rlimits: [
      { type: 'RLIMIT_NOFILE', hard: 1048576, soft: 1048576 },
      { type: 'RLIMIT_NPROC', hard: 4194304, soft: 4194304 },
    ],
    oomScoreAdj: 0,
  },
  root: { path: '/var/lib/containers/storage/overlay/abc/merged' },
  hostname: '3c7d9a1b2e4f',
  mounts: [
    {
      destination: '/proc',
      type: 'proc',
      source: 'proc',
      options: ['nosuid', 'noexec', 'nodev'],
    },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'noexec', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/sys',
      type: 'sysfs',
      source: 'sysfs',
      options: ['nosuid', 'noexec', 'nodev', 'ro'],
    },
    {
      destination: '/etc/hosts',
      type: 'bind',
      source: '/run/containers/storage/hosts',
      options: ['bind', 'rprivate', 'nosuid', 'nodev'],
    },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: ['rprivate', 'nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
    },
    {
      destination: '/dev/shm',
      type: 'bind',
      source: '/var/lib/containers/storage/shm',
      options: ['bind', 'rprivate', 'nosuid', 'noexec', 'nodev'],
    },
  ],
  hooks: {},
  annotations: { 'io.container.manager': 'libpod', 'org.opencontainers.image.stopSignal': '15' },
  linux: {
    sysctl: { 'net.ipv4.ping_group_range': '0 0' },
    resources: {
      devices: [
        { allow: false, access: 'rwm' },
        { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' },
      ],
      memory: {},
      cpu: { shares: 0 },
      pids: { limit: 2048 },
      blockIO: { weight: 0 },
    },
    cgroupsPath: 'machine.slice:libpod:3c7d9a1b2e4f',
    namespaces: [
      { type: 'pid' },
      { type: 'network' },
      { type: 'ipc' },
      { type: 'uts' },
      { type: 'mount' },
      { type: 'cgroup' },
    ],
    devices: [{ path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 8630, uid: 0, gid: 0 }],
    seccomp: {
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 38,
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
      syscalls: [
        { names: ['bdflush', 'io_pgetevents'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 },
        { names: ['accept', 'read', 'write'], action: 'SCMP_ACT_ALLOW' },
        {
          names: ['personality'],
          action: 'SCMP_ACT_ALLOW',
          args: [{ index: 0, value: 4294967295, op: 'SCMP_CMP_EQ' }],
        },
        {
          names: ['clone'],
          action: 'SCMP_ACT_ALLOW',
          args: [{ index: 0, value: 2114060288, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
        },
      ],
    },
    rootfsPropagation: 'private',
    maskedPaths: ['/proc/acpi', '/proc/kcore', '/sys/firmware', '/sys/fs/selinux'],
    readonlyPaths: ['/proc/asound', '/proc/bus', '/proc/sys'],
  },
};
