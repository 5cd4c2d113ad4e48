import { NAMESPACES } from '../../oci-spec/namespaces.js';
import { PROPAGATION } from '../../oci-spec/mount-options.js';
import { PlanBuilder } from './encode.js';
import { MOUNT_FLAG, PIVOT_MODE } from './opcodes.js';
import { SYNC_NAMESPACES, type ProcessInput } from './plan-input.js';
import { type EncodedPlan } from './plan-writer.js';

export interface CriuPlanInput extends Pick<ProcessInput, 'adopt'> {
  /** Absolute and resolved. */
  readonly rootfs: string;
  /** `tasks` files of v1 hierarchies, open for writing. */
  readonly enterFds: readonly number[];
  /** Program and arguments. */
  readonly args: readonly string[];
  readonly env: readonly string[];
}

/**
 * Compiles the plan of the CRIU that restores a container: pure, makes no kernel call.
 *
 * CRIU wants the container's root to be a mount point whose parent is not shared. It gets that in a mount namespace of its own, on a copy of
 * the host's tree: the host's mount table shows nothing of it. What it makes is born in the cgroups that it is in.
 */
export function compileCriuPlan({ rootfs, enterFds, args, env, adopt = [] }: CriuPlanInput): EncodedPlan {
  const plan = new PlanBuilder();
  const root = 'root.path';
  plan.sync('linux.cgroupsPath', SYNC_NAMESPACES);
  for (const fd of enterFds) plan.enterCgroup('linux.cgroupsPath', plan.addFd(fd));
  plan.unshare(root, NAMESPACES.mount.flag);
  plan.propagation(root, PROPAGATION.private, true);
  plan.rootfs(root, '/', -1, 0);
  plan.mountBind(root, {
    source: rootfs,
    target: rootfs,
    flags: MOUNT_FLAG.RECURSIVE,
    propagation: PROPAGATION.private,
  });
  plan.pivotRoot(root, PIVOT_MODE.PIVOT);
  plan.closeFds('criu', 0);
  plan.chdir('criu', '/', false);
  plan.findProgram('criu', args[0] ?? '', '');
  for (const { fd, number } of adopt) plan.adoptFd('linux.namespaces', plan.addFd(fd), number);
  plan.exec('criu', args, env);
  return plan.finish();
}
