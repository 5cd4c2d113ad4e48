import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { type Kernel } from '../../native-shim/kernel.js';
import { aworkerNodeFlags } from '../../native-shim/node-flags.js';
import { type OciConfig, type OciMount } from '../../oci-spec/config.js';
import { type TurfMember } from '../../oci-spec/turf-member.js';
import { type Bundle, directoryInBundle } from '../containers/bundle.js';
import { type ContainerSpec } from '../containers/create.js';
import { type Machine } from '../machine.js';
import { inertTree } from './inert-tree.js';
import { PACK_LIBRARY, RUNTIME_DIRECTORY, type RuntimeFile } from './runtime-files.js';
import { SEED_SECCOMP } from './seed-seccomp.js';
import { BASE_RANGE_SIZE, freeUserRange, RANGE_SIZE } from './user-range.js';

type SeedMember = Extract<TurfMember, { kind: 'seed' }>;

/** Number of the control socket in the seed: the first after stdio, below what a clone keeps. */
const CONTROL_FD = 3;

const NOFILE = 1024;

const TMP = { mode: '1777', size: '16m' };
/** mount_setattr(2): MOUNT_ATTR_NOSUID, NODEV and NOEXEC. */
const INERT = 0xe;

/** A new /tmp, as every seed has one, as a detached mount. @returns a descriptor that the caller owns */
export function newTmp(kernel: Kernel): number {
  return kernel.newMount('tmpfs', TMP, INERT);
}

/** What a seed needs of its own user namespace to make clones: their namespaces, mounts, ids and networks. */
export const SEED_CAPABILITIES = [
  'CAP_SYS_ADMIN',
  'CAP_SYS_CHROOT',
  'CAP_SETUID',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_NET_ADMIN',
];

/**
 * The container that a seed's bundle stands for: an own root with the runtime and the code, no privilege on the host (a user
 * namespace), and no PID namespace, whose end would end the clones.
 */
export function seedSpec(
  machine: Machine,
  id: string,
  bundle: Bundle,
  member: SeedMember,
  files: readonly RuntimeFile[],
): ContainerSpec {
  const root = join(machine.store.root, '.seed-root');
  const code =
    member.code === undefined ? undefined : directoryInBundle(bundle.directory, member.code, 'turf.code');
  const idCount = member.mode === 'runtime' ? BASE_RANGE_SIZE : RANGE_SIZE;
  const idBase = freeUserRange(
    [...machine.containers.values()].map(({ facts }) => facts),
    idCount,
  );
  const mounts = seedMounts(files, code);
  const control = machine.kernel.listenUnix(machine.store.path(id, 'control.sock'), 0o600);
  const mountFds = seedTrees(machine.kernel, mounts, code, control);
  return {
    config: seedConfig(id, bundle.config, member, root, mounts, { idBase, idCount }),
    configText: bundle.text,
    rootfs: root,
    facts: {
      kind: 'seed',
      rootfs: '',
      seedMode: member.mode,
      idBase,
      ...(idCount === RANGE_SIZE ? {} : { idCount }),
      hostNetwork: member.network === 'host',
      ...(member.pool === undefined ? {} : { pool: member.pool }),
      ...(code === undefined ? {} : { code }),
    },
    mountFds,
    adopt: [{ fd: control, number: CONTROL_FD }],
    confined: true,
  };
}

/** Index in `mounts` → detached mount; `control` is closed, too, where one cannot be made. */
function seedTrees(
  kernel: Kernel,
  mounts: readonly OciMount[],
  code: string | undefined,
  control: number,
): Map<number, number> {
  const mountFds = new Map<number, number>();
  try {
    for (const [index, { destination }] of mounts.entries()) {
      // Host processes stay invisible: only those that the seed may ptrace, its own, show up (proc(5), hidepid=4).
      if (destination === '/proc')
        mountFds.set(index, kernel.newMount('proc', { hidepid: 'ptraceable', subset: 'pid' }, 0xf));
      if (destination === '/code' && code !== undefined) mountFds.set(index, inertTree(kernel, code));
    }
    return mountFds;
  } catch (error) {
    for (const fd of [control, ...mountFds.values()]) closeSync(fd);
    throw error;
  }
}

function seedMounts(files: readonly RuntimeFile[], code: string | undefined): OciMount[] {
  const bind = (source: string, destination: string): OciMount => ({
    destination,
    source,
    type: 'bind',
    options: ['bind', 'ro', 'nosuid', 'nodev'],
  });
  return [
    bind('/proc', '/proc'),
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'noexec', 'mode=755', 'size=64k'],
    },
    {
      destination: '/tmp',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'nodev', 'noexec', `mode=${TMP.mode}`, `size=${TMP.size}`],
    },
    ...files.map(({ source, target }) => bind(source, target)),
    ...(code === undefined ? [] : [bind(code, '/code')]),
  ];
}

function seedConfig(
  id: string,
  given: OciConfig,
  member: SeedMember,
  root: string,
  mounts: OciMount[],
  ids: { readonly idBase: number; readonly idCount: number },
): OciConfig {
  const mapping = [{ containerID: 0, hostID: ids.idBase, size: ids.idCount }];
  const { mode, nodeModules } = member;
  const settings = { mode, main: mainModule(given), controlFd: CONTROL_FD, nodeModules };
  const { resources, cgroupsPath } = given.linux ?? {};
  return {
    ociVersion: given.ociVersion,
    ...(given.annotations === undefined ? {} : { annotations: given.annotations }),
    ...(given.hooks === undefined ? {} : { hooks: given.hooks }),
    hostname: id.slice(0, 63),
    root: { path: root, readonly: true },
    mounts,
    process: {
      cwd: '/',
      user: { uid: 0, gid: 0 },
      args: [
        `${RUNTIME_DIRECTORY}/node`,
        ...aworkerNodeFlags(member.limits?.heapBytes),
        `${RUNTIME_DIRECTORY}/dist/aworker/seed.js`,
      ],
      env: [
        `TURF_SEED=${JSON.stringify(settings)}`,
        `LD_PRELOAD=${RUNTIME_DIRECTORY}/${PACK_LIBRARY}`,
        'HOME=/tmp',
      ],
      noNewPrivileges: true,
      capabilities: {
        bounding: SEED_CAPABILITIES,
        effective: SEED_CAPABILITIES,
        permitted: SEED_CAPABILITIES,
      },
      // Inherited by the workers.
      rlimits: [
        { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
        { type: 'RLIMIT_NOFILE', soft: NOFILE, hard: NOFILE },
      ],
    },
    linux: {
      namespaces: [
        { type: 'user' },
        { type: 'mount' },
        { type: 'ipc' },
        { type: 'uts' },
        ...(member.network === 'host' ? [] : [{ type: 'network' as const }]),
      ],
      seccomp: SEED_SECCOMP,
      uidMappings: mapping,
      gidMappings: mapping,
      ...(resources === undefined ? {} : { resources }),
      ...(cgroupsPath === undefined ? {} : { cgroupsPath }),
    },
  };
}

/** Path in the seed of the module that a bundle's args name: `["aworker", "index.js"]`. */
export function mainModule(config: OciConfig): string {
  const [, file = 'index.js'] = config.process?.args ?? [];
  return join('/code', join('/', file));
}
