import { TurfError } from '../../cli/turf-error.js';
import type { OciLinux, OciProcess } from '../../oci-spec/config.js';
import { cpuMask } from '../../oci-spec/cpu-mask.js';
import { NAMESPACES } from '../../oci-spec/namespaces.js';
import { PlanBuilder } from './encode.js';
import { type EncodedPlan } from './plan-writer.js';
import { PIVOT_MODE } from './opcodes.js';
import type { ProcessInput } from './plan-input.js';
import { becomeProgram, limitProcess, writeSecurityLabels } from './process.js';

export interface ExecPlanInput extends ProcessInput {
  readonly id: string;
  /** Validated; what the config of the container does not say, `exec` has put in. */
  readonly process: OciProcess;
  /** Of the container's config. */
  readonly linux: OciLinux;
  /** The container's first process: its namespaces are joined through it. */
  readonly pidfd: number;
  /** Its root directory; needed where the container has no mount namespace of its own. */
  readonly rootFd?: number;
  /** `tasks` files of v1 hierarchies, open for writing. */
  readonly enterFds: readonly number[];
  /** Keep the caller's session keyring. */
  readonly noNewKeyring: boolean;
}

/**
 * Compiles the plan of a program that joins a container: pure, makes no kernel call.
 *
 * turf-init does almost all of it outside of the container's PID namespace, where nobody of the container sees it, and goes on as its own
 * child in there when it has nothing left that the program is not to have (SPAWN). Only a filter that is loaded with privileges can
 * stand in the way of that clone: then the child comes before it, unless the container has CAP_SYS_PTRACE, which would let
 * it into the child. In such a container the child also holds no cgroup files any more: what is left in it of the setting up is
 * the sync channel, by which it could report its own failure.
 *
 * @throws TurfError TURF_ERR_CONFIG, TURF_ERR_USAGE with the field at fault
 */
export function compileExecPlan(input: ExecPlanInput): EncodedPlan {
  const { process, linux } = input;
  const plan = new PlanBuilder();
  const context = { input, linux, plan };
  const types = new Set((linux.namespaces ?? []).map(({ type }) => type));
  const terminal = process.terminal === true;
  const { initial, final } = process.execCPUAffinity ?? {};

  if (isGiven(initial)) plan.cpuAffinity('process.execCPUAffinity.initial', cpuMask(initial));
  // What is written below /proc/self, while that is the host's.
  writeSecurityLabels(context, process);
  limitProcess(context, process);
  const flags = [...types].reduce((all, type) => all | NAMESPACES[type].flag, 0);
  if (flags !== 0) plan.joinNamespace('linux.namespaces', plan.addFd(input.pidfd), flags);
  if (types.has('user')) plan.becomeRoot('linux.namespaces');
  if (!hasOwnRoot(linux)) enterRoot(plan, input.rootFd);
  if (!input.noNewKeyring) plan.sessionKeyring('process', `_ses.${input.id}`);
  if (terminal) openConsole(plan, input);

  const tracers = process.capabilities?.bounding?.includes('CAP_SYS_PTRACE') === true;
  const enterCgroups = (): void => {
    for (const fd of input.enterFds) plan.enterCgroup('linux.cgroupsPath', plan.addFd(fd));
  };
  if (tracers) enterCgroups();
  let spawned = false;
  const spawn = (): void => {
    if (spawned) return;
    spawned = true;
    plan.spawn('process', terminal);
    // As late as can be: where the limit of processes is reached, another one can still be moved in.
    if (!tracers) enterCgroups();
    if (isGiven(final)) plan.cpuAffinity('process.execCPUAffinity.final', cpuMask(final));
  };
  becomeProgram(context, process, { start: spawn, ...(tracers ? {} : { beforeEarlyFilter: spawn }) });
  return plan.finish();
}

/** Whether joining the container's mount namespace leads to its root: others' namespaces have a root that is not the container's. */
export function hasOwnRoot(linux: OciLinux): boolean {
  return (linux.namespaces ?? []).some(({ type, path }) => type === 'mount' && (path ?? '') === '');
}

const isGiven = (cpus: string | undefined): cpus is string => cpus !== undefined && cpus !== '';

function enterRoot(plan: PlanBuilder, rootFd: number | undefined): void {
  if (rootFd === undefined)
    throw new TurfError('TURF_ERR_CONFIG', 'root.path: was not opened', { path: 'root.path' });
  plan.rootfs('root.path', '', plan.addFd(rootFd), 0);
  plan.pivotRoot('root.path', PIVOT_MODE.CHROOT);
}

function openConsole(plan: PlanBuilder, { process, consoleSocketFd }: ExecPlanInput): void {
  const path = 'process.terminal';
  if (consoleSocketFd === undefined)
    throw new TurfError('TURF_ERR_USAGE', `${path}: needs a console socket`, { path });
  plan.console(path, {
    socket: plan.addFd(consoleSocketFd),
    rows: process.consoleSize?.height ?? 0,
    columns: process.consoleSize?.width ?? 0,
    uid: process.user?.uid ?? 0,
    bindDevConsole: false,
    later: true,
  });
}
