import { TurfError } from '../../cli/turf-error.js';
import type { OciConfig, OciLinux } from '../../oci-spec/config.js';
import { NAMESPACES } from '../../oci-spec/namespaces.js';
import { openConsole } from './console.js';
import { makeDevices } from './devices.js';
import { PlanBuilder } from './encode.js';
import { runHooks } from './hooks.js';
import { finishMounts, makeMounts } from './mounts.js';
import { enterNamespaces, namespaceFlags, namespacesOf, setNames } from './namespaces.js';
import { type CompiledPlan, type PlanContext, type PlanInput, SYNC_ID_MAPS } from './plan-input.js';
import { becomeProgram, limitProcess, setSysctls, writeSecurityLabels } from './process.js';
import { attachRoot, changeRoot, protectPaths, protectRoot } from './rootfs.js';

/**
 * Compiles a validated config into the launch plan of its container: pure, makes no kernel call.
 *
 * The order below is the order of execution. Descriptors stay the caller's; the plan only lists them.
 *
 * @throws TurfError TURF_ERR_CONFIG, TURF_ERR_UNSUPPORTED or TURF_ERR_USAGE with the field at fault
 */
export function compilePlan(input: PlanInput): CompiledPlan {
  const { config } = input;
  const process = config.process;
  if (process === undefined)
    throw new TurfError('TURF_ERR_CONFIG', 'process: is required', { path: 'process' });
  const linux = input.lateUserNamespace === true ? withoutUser(config.linux ?? {}) : (config.linux ?? {});
  const plan = new PlanBuilder();
  const namespaces = namespacesOf(linux);
  const borrows = borrowsMounts(config, linux, namespaces);
  const ownMounts = borrows || namespaces.isNew('mount');
  const context: PlanContext = { input, config, linux, plan, namespaces, ownMounts };
  const flags = namespaceFlags(linux, input, plan);

  enterNamespaces(context);
  if (input.noNewKeyring !== true) plan.sessionKeyring('process', `_ses.${input.id}`);
  setNames(context);
  if (borrows) plan.borrowMounts('linux.namespaces', false);
  attachRoot(context);
  const readOnlyLater = makeMounts(context);
  makeDevices(context);
  openConsole(context);
  runHooks(context, 'createContainer');
  changeRoot(context);
  // Creates a missing working directory while the root can still be written.
  plan.chdir('process.cwd', process.cwd, true);
  finishMounts(context, readOnlyLater);
  // Before /proc/sys becomes read-only: a user namespace's root may have no other way to it.
  setSysctls(context);
  protectPaths(context);
  protectRoot(context);
  if (borrows) plan.borrowMounts('linux.namespaces', true);
  limitProcess(context, process);
  if (input.lateUserNamespace === true) enterUserNamespace(plan);
  writeSecurityLabels(context, process);
  becomeProgram(context, process, {
    start() {
      plan.waitStart('start', plan.addFd(input.startSocketFd));
      runHooks(context, 'startContainer');
    },
  });

  return { ...plan.finish(), ...flags };
}

/** Where a user namespace does not own the mount namespace it may not mount there, nor return to it. */
function borrowsMounts(config: OciConfig, linux: OciLinux, namespaces: PlanContext['namespaces']): boolean {
  const needs =
    (config.mounts ?? []).length > 0 ||
    (linux.maskedPaths ?? []).length > 0 ||
    (linux.readonlyPaths ?? []).length > 0 ||
    (linux.rootfsPropagation ?? '') !== '' ||
    config.root?.readonly === true;
  return needs && !namespaces.isNew('mount') && !namespaces.has('user');
}

function withoutUser(linux: OciLinux): OciLinux {
  return { ...linux, namespaces: (linux.namespaces ?? []).filter(({ type }) => type !== 'user') };
}

function enterUserNamespace(plan: PlanBuilder): void {
  plan.unshare('linux.namespaces', NAMESPACES.user.flag | NAMESPACES.mount.flag);
  plan.sync('linux.uidMappings', SYNC_ID_MAPS);
  plan.becomeRoot('linux.uidMappings');
}
