import { capabilityMask } from '../../oci-spec/capabilities.js';
import { NAMESPACES } from '../../oci-spec/namespaces.js';
import { type PlanBuilder } from '../plan/encode.js';
import { SYNC_ID_MAPS } from '../plan/plan-input.js';
import { SEED_CAPABILITIES } from './seed-spec.js';

/** The control socket of a seed that is a clone: one of the descriptors that clones keep (native-shim/lib/park.h). */
export const CLONED_CONTROL_FD = 201;

export interface SeedPlanInput {
  readonly hostname: string;
  readonly stdio: readonly [number, number, number];
  /** Detached mounts for /code, read-only already, and /tmp. */
  readonly codeTree: number;
  readonly tmpTree: number;
  readonly controlFd: number;
}

/**
 * What makes a clone of a seed a seed itself, after `place`: it keeps its base's root, but for code and /tmp, and is root of a user
 * namespace of its own. That comes last, with a mount namespace that it owns, as in a seed that is started (decision 7): its mounts are
 * locked, and what lies below them stays hidden.
 */
export function becomeSeed(plan: PlanBuilder, input: SeedPlanInput): void {
  const [stdin, stdout, stderr] = input.stdio;
  const capabilities = capabilityMask(SEED_CAPABILITIES);
  plan.stdio('seed.stdio', plan.addFd(stdin), plan.addFd(stdout), plan.addFd(stderr));
  plan.hostname('seed.hostname', input.hostname);
  plan.mountBind('seed.code', { tree: plan.addFd(input.codeTree), target: '/code' });
  plan.mountBind('seed.tmp', { tree: plan.addFd(input.tmpTree), target: '/tmp' });
  plan.unshare('seed.namespaces', NAMESPACES.user.flag | NAMESPACES.mount.flag);
  plan.sync('seed.ids', SYNC_ID_MAPS);
  plan.becomeRoot('seed.ids');
  plan.dropBounding('seed.capabilities', capabilities);
  plan.capabilities('seed.capabilities', {
    effective: capabilities,
    permitted: capabilities,
    inheritable: 0n,
    ambient: 0n,
  });
  plan.noNewPrivs('seed.noNewPrivileges');
  plan.adoptFd('seed.control', plan.addFd(input.controlFd), CLONED_CONTROL_FD);
}
