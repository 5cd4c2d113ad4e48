import { closeSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { aworkerNodeFlags } from '../../native-shim/node-flags.js';
import { type OciConfig, type OciMount, type OciNamespace } from '../../oci-spec/config.js';
import { type ContainerSpec } from '../containers/create.js';
import { type Machine } from '../machine.js';
import { type CompiledSeccomp } from '../seccomp/compile.js';
import { COLD_SECCOMP } from './cold-seccomp.js';
import { codeTree } from './inert-tree.js';
import { bindListener, removeListener } from './listen.js';
import { RESOLVER_FILES, RUNTIME_DIRECTORY, type RuntimeFile, SNAPSHOT_PLACE } from './runtime-files.js';
import { mainModule } from './seed-spec.js';
import { freeUserRange, RANGE_SIZE } from './user-range.js';
import { type WorkerPlace } from './worker-spec.js';
import { WORKER_UID } from './worker-plan.js';

/** Descriptors of a worker that starts cold; the last is known to native-shim/confine/confine.c, too. */
const LISTEN_FD = 3;
const CONFIG_FD = 4;
const FILTER_FD = 5;

const NOFILE = 1024;
const UMASK = 0o077;

/** What a worker is made from that is no clone. */
export interface ColdRequest extends WorkerPlace {
  readonly configText: string;
  /** Name of the seed that was asked for a clone. */
  readonly seed?: string;
}

/**
 * The container of a worker that starts without a seed: a Node.js process of its own, confined as a clone is (namespaces, root, ids, no
 * capability, the workers' filter once the runtime stands).
 *
 * @param snapshot startup snapshot of the runtime; undefined: the runtime is loaded
 * @param seccomp the workers' filter
 * @throws TurfError where the listening socket cannot be bound, or the code not be opened
 */
export async function coldSpec(
  machine: Machine,
  id: string,
  request: ColdRequest,
  files: readonly RuntimeFile[],
  snapshot: string | undefined,
  seccomp: CompiledSeccomp,
): Promise<ContainerSpec> {
  const { kernel, store } = machine;
  const root = join(store.root, '.cold-root');
  const idBase = freeUserRange([...machine.containers.values()].map(({ facts }) => facts));
  const mounts = coldMounts(
    snapshot === undefined ? files : [...files, { source: snapshot, target: SNAPSHOT_PLACE }],
    request,
  );
  const listener = await bindListener(kernel, request.listen);
  const open = [listener.fd];
  const own = (fd: number): number => {
    open.push(fd);
    return fd;
  };
  try {
    const main = mainModule(request.config);
    const { env, limits, nodeModules } = request;
    const settings = { id, env, main, listenFd: LISTEN_FD, limits, nodeModules };
    const adopt = [
      { fd: listener.fd, number: LISTEN_FD },
      {
        fd: own(kernel.sealedMemfd('turf-worker', Buffer.from(JSON.stringify(settings)))),
        number: CONFIG_FD,
      },
      { fd: own(kernel.sealedMemfd('turf-filter', seccomp.bpf)), number: FILTER_FD },
    ];
    const code = mounts.findIndex(({ destination }) => destination === '/code');
    return {
      config: coldConfig(id, request, root, mounts, idBase, snapshot !== undefined),
      configText: request.configText,
      rootfs: root,
      facts: {
        kind: 'worker',
        rootfs: '',
        start: snapshot === undefined ? 'cold' : 'snapshot',
        idBase,
        listen: listener.address,
        ...(request.seed === undefined ? {} : { seed: request.seed }),
      },
      mountFds: new Map([[code, own(codeTree(kernel, request.code))]]),
      adopt,
      confined: true,
      release: () => removeListener(kernel, listener.address),
    };
  } catch (error) {
    for (const fd of open) closeSync(fd);
    removeListener(kernel, listener.address);
    throw error;
  }
}

function coldMounts(files: readonly RuntimeFile[], { hostNetwork }: ColdRequest): OciMount[] {
  const bind = (source: string, destination: string, ...more: string[]): OciMount => ({
    destination,
    source,
    type: 'bind',
    options: ['bind', 'ro', 'nosuid', 'nodev', ...more],
  });
  const resolver = hostNetwork ? RESOLVER_FILES.filter((path) => existsSync(path)) : [];
  return [
    ...files.map(({ source, target }) => bind(source, target)),
    // A detached mount, which comes along.
    bind('/code', '/code', 'noexec'),
    ...resolver.map((path) => bind(path, path, 'noexec')),
  ];
}

function coldConfig(
  id: string,
  request: ColdRequest,
  root: string,
  mounts: OciMount[],
  idBase: number,
  fromSnapshot: boolean,
): OciConfig {
  const given = request.config;
  const mapping = [{ containerID: 0, hostID: idBase, size: RANGE_SIZE }];
  const { cgroupsPath } = given.linux ?? {};
  const oomScoreAdj = given.process?.oomScoreAdj;
  return {
    ociVersion: given.ociVersion,
    ...(given.annotations === undefined ? {} : { annotations: given.annotations }),
    ...(given.hooks === undefined ? {} : { hooks: given.hooks }),
    hostname: id.slice(0, 63),
    root: { path: root, readonly: true },
    mounts,
    process: {
      cwd: '/',
      user: { uid: WORKER_UID, gid: WORKER_UID, umask: UMASK },
      args: [
        `${RUNTIME_DIRECTORY}/node`,
        ...aworkerNodeFlags(request.limits?.heapBytes),
        ...(fromSnapshot ? ['--snapshot-blob', SNAPSHOT_PLACE] : []),
        `${RUNTIME_DIRECTORY}/dist/aworker/cold.js`,
      ],
      env: ['HOME=/'],
      noNewPrivileges: true,
      capabilities: {},
      rlimits: [
        { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
        { type: 'RLIMIT_NOFILE', soft: NOFILE, hard: NOFILE },
      ],
      ...(oomScoreAdj === undefined ? {} : { oomScoreAdj }),
    },
    linux: {
      namespaces: [
        { type: 'user' },
        { type: 'pid' },
        { type: 'mount' },
        { type: 'ipc' },
        { type: 'uts' },
        ...network(request),
      ],
      seccomp: COLD_SECCOMP,
      uidMappings: mapping,
      gidMappings: mapping,
      ...(request.resources === undefined ? {} : { resources: request.resources }),
      ...(cgroupsPath === undefined ? {} : { cgroupsPath }),
    },
  };
}

/** An engine's network namespace is joined; without one the worker has an empty one of its own. */
function network({ config, hostNetwork }: ColdRequest): OciNamespace[] {
  if (hostNetwork) return [];
  const given = config.linux?.namespaces?.find(({ type, path }) => type === 'network' && (path ?? '') !== '');
  return [given ?? { type: 'network' }];
}
