import { type OciResources } from '../../oci-spec/config.js';

/** From this version on the specification counts 0 as a limit. */
const ZERO_IS_A_LIMIT = [1, 3] as const;

/**
 * Resources with `pids.limit` 0 made plain. Before runtime-spec 1.3 engines write 0 for "no limit" (podman for `--pids-limit -1`,
 * CRI-O); since then it is a limit, of which runc makes one process, because systemd knows no limit of none and the first process is
 * there anyway.
 *
 * @param ociVersion of the config that the container was made from
 */
export function effectiveResources(ociVersion: string, resources: OciResources): OciResources {
  const limit = resources.pids?.limit;
  if (limit === undefined || BigInt(limit) !== 0n) return resources;
  const [major = 0, minor = 0] = ociVersion.split(/[.-]/).map(Number);
  const [sinceMajor, sinceMinor] = ZERO_IS_A_LIMIT;
  const counts = major > sinceMajor || (major === sinceMajor && minor >= sinceMinor);
  return { ...resources, pids: { ...resources.pids, limit: counts ? 1 : -1 } };
}
