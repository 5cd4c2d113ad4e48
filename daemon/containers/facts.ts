import { z } from 'zod';
import { cgroupFactsSchema } from '../cgroups/facts.js';

/**
 * What `state.json` holds: facts, never a status. Whether a container runs is asked of the kernel each time, so a daemon that
 * died cannot leave a lie behind.
 */
export const factsSchema = z.strictObject({
  version: z.literal(1),
  id: z.string(),
  kind: z.enum(['container', 'seed', 'worker']),
  ociVersion: z.string(),
  /** Absolute path. */
  bundle: z.string(),
  /** Absolute path; empty for seeds and workers. */
  rootfs: z.string(),
  /** RFC 3339. */
  created: z.string(),
  /** Boot in which this was written (/proc/sys/kernel/random/boot_id): a pid means nothing in another. */
  bootId: z.string(),
  /** `creating` until create has succeeded: such a directory found at a start is a half-made container. */
  phase: z.enum(['creating', 'created']),
  /** The first process; absent while it does not exist. */
  process: z.strictObject({ pid: z.int().positive(), startTime: z.string() }).optional(),
  /** Absent while there is none. */
  cgroup: cgroupFactsSchema.optional(),
  /** What was made for it in the resctrl file system. */
  rdt: z.strictObject({ group: z.string().optional(), monitor: z.string().optional() }).optional(),
  /** Where start connects for the seccomp notification descriptor. */
  seccompListener: z.string().optional(),
  owner: z.string(),
  annotations: z.record(z.string(), z.string()),
  /** Kinds of hooks that config.json has, so that it need not be read again to learn that there are none. */
  hooks: z.array(z.string()),
  /** Output is kept in the container's log files (it was not the caller's). */
  logs: z.boolean(),
  /** Made with --no-new-keyring: exec keeps its caller's, too. */
  noNewKeyring: z.boolean().optional(),
  /** What `update` has set since the container was made. */
  resources: z.record(z.string(), z.unknown()).optional(),
  /** Mode of a seed. */
  seedMode: z.enum(['runtime', 'userland']).optional(),
  /** First host uid and gid of a seed's range. */
  idBase: z.int().optional(),
  /** How many there are in it, where not the usual number. */
  idCount: z.int().optional(),
  /** Whether a seed lives in the host's network namespace. */
  hostNetwork: z.boolean().optional(),
  /** How many clones of a seed are made ahead of their use. */
  pool: z.int().optional(),
  /** Host path of a seed's code directory. */
  code: z.string().optional(),
  /** Id of the seed that a worker, or another seed, was cloned from. */
  seed: z.string().optional(),
  /** The process that stands for a worker before the engine that made it. */
  standIn: z.strictObject({ pid: z.int().positive(), startTime: z.string() }).optional(),
  /** How a worker that is no clone was started. */
  start: z.enum(['cold', 'snapshot']).optional(),
  /** What becomes of a worker, where that is more than to be kept. */
  life: z
    .strictObject({
      /** `sleep`: the next connection to its address forks another. */
      onExit: z.enum(['delete', 'keep', 'restart', 'sleep']),
      /** Milliseconds of the epoch. */
      expires: z.number().optional(),
      /** The request that it was forked by, for another in its place. */
      request: z.record(z.string(), z.unknown()).optional(),
      /** Ends in a row soon after the fork. */
      failures: z.int(),
    })
    .optional(),
  /** Where a worker listens. */
  listen: z.string().optional(),
});

export type Facts = z.infer<typeof factsSchema>;

export const exitSchema = z.strictObject({
  exitCode: z.int().optional(),
  exitSignal: z.string().optional(),
  /** How many processes the kernel's OOM killer had taken from the cgroup. */
  oomKills: z.int().optional(),
  stoppedAt: z.string(),
});

export type Exit = z.infer<typeof exitSchema>;

/** One line that the supervisor wrote: docs/protocol.md, "Supervisor channel". */
export const exitRecordSchema = z.object({
  pid: z.int(),
  startTime: z.union([z.string(), z.number()]).transform(String),
  status: z.int(),
  at: z.string(),
});

export type ExitRecord = z.infer<typeof exitRecordSchema>;
