import { type PlanBuilder } from '../plan/encode.js';
import { type CompiledSeccomp } from '../seccomp/compile.js';

/** Descriptors that a clone keeps are 200 to 215 (native-shim/lib/park.h). */
export const LISTEN_FD = 200;

/** A worker's ids inside its seed's user namespace: no process of the seed has them. */
export const WORKER_UID = 1000;

const MS_REC = 0x4000;
const MS_PRIVATE = 1 << 18;
const RLIMIT_CORE = 4;
const UMASK = 0o077;

/** What a clone of a seed can be given before it is known which worker it becomes. */
export interface PlacePlanInput {
  /** v1 `tasks` files; empty where the daemon attaches from outside. */
  readonly tasksFds: readonly number[];
  /** Whether the clone has a network namespace of its own. */
  readonly ownNetwork: boolean;
}

export interface RootPlanInput {
  /** Detached mount of the worker's root, read-only already. */
  readonly rootTree: number;
  /** Detached mount of the code directory, read-only already. */
  readonly codeTree: number;
  /** Place in the root → detached mount of a file, read-only already. */
  readonly files: ReadonlyMap<string, number>;
}

export interface IdentityPlanInput {
  readonly hostname: string;
  readonly stdio: readonly [number, number, number];
  readonly listenFd: number;
  /** Listening start socket of a clone that is held; absent: it runs at once. */
  readonly startSocketFd: number | undefined;
  readonly seccomp: CompiledSeccomp;
}

/** Sync point at which the daemon attaches the clone to its cgroup, where it cannot enter by itself. */
export const SYNC_ATTACH = 1;

/** Cgroup and namespaces. */
export function place(plan: PlanBuilder, input: PlacePlanInput): void {
  for (const fd of input.tasksFds) plan.enterCgroup('worker.cgroup', plan.addFd(fd));
  if (input.tasksFds.length === 0) plan.sync('worker.cgroup', SYNC_ATTACH);
  if (input.ownNetwork) plan.loopbackUp('worker.network');
  plan.propagation('worker.root', MS_PRIVATE, true);
  plan.rlimit('worker.rlimits', RLIMIT_CORE, 0n, 0n);
}

/** A root of its own with nothing but its code; the seed's is gone afterwards. */
export function enterRoot(plan: PlanBuilder, input: RootPlanInput): void {
  plan.rootfs('worker.root', '', plan.addFd(input.rootTree), MS_PRIVATE | MS_REC);
  plan.mountBind('worker.code', { tree: plan.addFd(input.codeTree), target: '/code' });
  for (const [target, tree] of input.files)
    plan.mountBind('worker.network', { tree: plan.addFd(tree), target });
  plan.pivotRoot('worker.root', 0);
  plan.chdir('worker.cwd', '/', false);
}

/** Identity, output, socket; then no capability, no way to gain one, and a system call filter: no user code before that. */
export function becomeWorker(plan: PlanBuilder, input: IdentityPlanInput): void {
  const [stdin, stdout, stderr] = input.stdio;
  plan.stdio('worker.stdio', plan.addFd(stdin), plan.addFd(stdout), plan.addFd(stderr));
  plan.hostname('worker.hostname', input.hostname);
  plan.dropBounding('worker.capabilities', 0n);
  plan.user('worker.user', { uid: WORKER_UID, gid: WORKER_UID, groups: [] });
  plan.umask('worker.umask', UMASK);
  plan.capabilities('worker.capabilities', { effective: 0n, permitted: 0n, inheritable: 0n, ambient: 0n });
  plan.noNewPrivs('worker.noNewPrivileges');
  plan.adoptFd('worker.listen', plan.addFd(input.listenFd), LISTEN_FD);
  plan.seccomp('worker.seccomp', input.seccomp.flags, input.seccomp.bpf);
  if (input.startSocketFd !== undefined) plan.waitStart('worker.start', plan.addFd(input.startSocketFd));
}
