import { compilePlan } from '../../../../daemon/plan/compile.js';
import type { CgroupView, CompiledPlan, PlanInput } from '../../../../daemon/plan/plan-input.js';
import type { OciConfig } from '../../../../oci-spec/config.js';
import { type DecodedOp, decodePlan } from './decode-plan.js';

export const START_SOCKET = 50;
export const CONSOLE_SOCKET = 51;

export const V1: CgroupView = {
  mode: 'v1',
  hierarchies: [
    { controllers: ['cpu', 'cpuacct'], mountName: 'cpu,cpuacct', hostPath: '/sys/fs/cgroup/cpu,cpuacct/c1' },
    { controllers: ['name=systemd'], mountName: 'systemd', hostPath: '/sys/fs/cgroup/systemd/c1' },
  ],
};
export const HYBRID: CgroupView = {
  mode: 'hybrid',
  hierarchies: [{ controllers: ['pids'], mountName: 'pids', hostPath: '/sys/fs/cgroup/pids/c1' }],
  unifiedHostPath: '/sys/fs/cgroup/unified/c1',
};
export const V2: CgroupView = { mode: 'v2', hierarchies: [], unifiedHostPath: '/sys/fs/cgroup/c1' };

/** The least that a container needs: everything else is added by the test that is about it. */
export const MINIMAL: OciConfig = {
  ociVersion: '1.2.0',
  root: { path: 'rootfs' },
  process: { args: ['true'], cwd: '/', env: ['PATH=/bin'], user: { uid: 0, gid: 0 } },
  linux: { namespaces: [{ type: 'mount' }, { type: 'pid' }] },
};

export interface Compiled {
  readonly plan: CompiledPlan;
  readonly ops: readonly DecodedOp[];
  /** Operation names in order. */
  readonly names: readonly string[];
  /** Fields of every operation of that name. */
  readonly all: (name: string) => Readonly<Record<string, unknown>>[];
  /** Labels of every operation of that name. */
  readonly labels: (name: string) => string[];
}

const WITH_CONSOLE: Partial<PlanInput> = { consoleSocketFd: CONSOLE_SOCKET };

/** Compiles and decodes. */
export function compile(
  config: OciConfig,
  input: Partial<PlanInput> = {},
  defaults: Partial<PlanInput> = WITH_CONSOLE,
): Compiled {
  const plan = compilePlan({
    id: 'c1',
    config,
    bundle: '/bundle',
    rootfs: '/bundle/rootfs',
    stateJson: (pid, status) => JSON.stringify({ ociVersion: '1.2.0', id: 'c1', status, pid }),
    cgroup: { enterFds: [], mounts: V2 },
    namespaceFds: new Map(),
    startSocketFd: START_SOCKET,
    ...defaults,
    ...input,
  });
  const { ops } = decodePlan(plan.bytes);
  return {
    plan,
    ops,
    names: ops.map(({ op }) => op),
    all: (name) => ops.filter(({ op }) => op === name).map(({ fields }) => fields),
    labels: (name) => plan.labels.filter((_, i) => ops[i]?.op === name),
  };
}

/** MINIMAL with other linux members. */
export function withLinux(linux: NonNullable<OciConfig['linux']>, more: Partial<OciConfig> = {}): OciConfig {
  return { ...MINIMAL, ...more, linux: { ...MINIMAL.linux, ...linux } };
}
