import type { JsonObject } from '../../oci-spec/json.js';
import type { CgroupFacts } from './facts.js';
import { hugetlbUsage, reader } from './usage-files.js';
import { v1Usage } from './usage-v1.js';
import { v2Usage } from './usage-v2.js';

/**
 * What a cgroup uses, as the members `cpu` to `hugetlb` of `runc events --stats`: what is zero is left out where runc leaves it out,
 * what the kernel does not tell counts as zero.
 */
export function cgroupUsage({ mode, unified, hierarchies }: CgroupFacts): JsonObject {
  if (mode === 'v2' && unified !== undefined) return v2Usage(unified.directory);
  const of = (controller: string): string | undefined =>
    hierarchies.find(({ controllers }) => controllers.includes(controller))?.directory;
  const usage = v1Usage(of);
  const onUnified = of('hugetlb') === undefined && unified !== undefined;
  return onUnified ? { ...usage, hugetlb: hugetlbUsage(reader(unified.directory)) } : usage;
}
