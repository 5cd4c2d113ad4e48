import { z } from 'zod';

const directory = z.strictObject({
  /** Controllers of the hierarchy; `name=systemd` for a named one; empty for the unified hierarchy. */
  controllers: z.array(z.string()),
  /** Absolute path on the host. */
  directory: z.string(),
  /** turf made the directory and therefore removes it. */
  made: z.boolean(),
});

/** What state.json keeps of a container's cgroup: enough to find, signal and remove it after a restart of the daemon. */
export const cgroupFactsSchema = z.strictObject({
  manager: z.enum(['cgroupfs', 'systemd']),
  mode: z.enum(['v1', 'hybrid', 'v2']),
  /** Below each hierarchy's mount point; starts with `/`. */
  path: z.string(),
  /** v1 hierarchies; empty on v2. */
  hierarchies: z.array(directory),
  /** The cgroup v2 directory: always on v2, on hybrid where the container joined it. */
  unified: directory.optional(),
  /** The systemd unit; systemd manager only. */
  unit: z.string().optional(),
});

export type CgroupDirectory = z.infer<typeof directory>;
export type CgroupFacts = z.infer<typeof cgroupFactsSchema>;
