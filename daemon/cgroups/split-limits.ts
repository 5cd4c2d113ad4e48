import type { OciResources } from '../../oci-spec/config.js';
import type { Limit } from './limit.js';
import { v1Limits } from './v1-limits.js';
import { v2Limits } from './v2-limits.js';

/** Limits by the kind of hierarchy that they are written to. */
export interface SplitLimits {
  readonly v1: readonly Limit[];
  readonly unified: readonly Limit[];
}

/**
 * Limits of a machine with v1 hierarchies. On a hybrid one `hugetlb` and `rdma` may live in the unified hierarchy.
 *
 * @param hasV1 whether the machine has a v1 hierarchy of that controller
 * @param hasUnified whether it has a unified hierarchy beside them
 * @throws TurfError TURF_ERR_CGROUP for what v1 cannot do, TURF_ERR_CONFIG for a bad page size
 */
export function splitLimits(
  resources: OciResources,
  hasV1: (controller: string) => boolean,
  hasUnified: boolean,
): SplitLimits {
  const { hugepageLimits, rdma } = resources;
  const moved = (controller: string): boolean =>
    hasUnified && (controller === 'hugetlb' || controller === 'rdma') && !hasV1(controller);
  return {
    v1: v1Limits(resources).filter(({ controller }) => !moved(controller)),
    unified: v2Limits({
      ...(hugepageLimits && moved('hugetlb') ? { hugepageLimits } : {}),
      ...(rdma && moved('rdma') ? { rdma } : {}),
    }),
  };
}
