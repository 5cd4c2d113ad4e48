import { z } from 'zod';
import { MOST_AHEAD } from '../../oci-spec/config-schema.js';
import { parseListenAddress } from '../../oci-spec/listen-address.js';
import { seedPolicySchema } from './seed-policy.js';
import { absolutePath, containerId, turfStates } from './container.js';
import { timeoutMs } from './timeout.js';

export const seedCreateRequestSchema = z
  .strictObject({
    id: containerId,
    bundle: absolutePath,
    timeoutMs: timeoutMs.exactOptional().meta({ description: 'Default 30000' }),
    pool: z
      .int()
      .min(0)
      .max(MOST_AHEAD)
      .exactOptional()
      .meta({ description: 'Clones to make ahead of their use; default: turf.pool of the bundle, or 1' }),
    from: containerId.exactOptional().meta({
      description: 'Runtime seed to clone instead of starting a process; default: turf.from of the bundle',
    }),
    policy: seedPolicySchema.exactOptional(),
  })
  .meta({ id: 'SeedCreateRequest' });

export const seedInfoSchema = z
  .object({
    id: z.string(),
    name: z.string().meta({ description: 'What forks ask for' }),
    role: z.enum(['current', 'draining', 'preparing']),
    mode: z.enum(['runtime', 'userland']),
    from: z.string().exactOptional().meta({ description: 'The seed that it was cloned from' }),
    pid: z.int(),
    state: z.enum(turfStates),
    bundle: z.string(),
    created: z.string(),
    forks: z.int(),
    workers: z.int(),
    pool: z.object({ size: z.int(), ready: z.int() }).meta({ description: 'Clones made ahead of their use' }),
  })
  .meta({ id: 'SeedInfo' });

export const seedListSchema = z.array(seedInfoSchema);

/** The names that execve's environment can carry: no `=`, no NUL. */
export const environmentName = z
  .string()
  .min(1)
  .regex(/^[^=\0]+$/, 'a name without = and NUL');

/** Where a worker listens: `unix:` and an absolute path, or `tcp:HOST:PORT`. */
export const listenAddress = z
  .string()
  .refine(
    (text) => parseListenAddress(text) !== undefined,
    'unix:PATH (absolute, at most 107 bytes) or tcp:HOST:PORT',
  );

export const forkRequestSchema = z
  .strictObject({
    id: containerId,
    bundle: absolutePath.exactOptional(),
    code: absolutePath.exactOptional().meta({ description: 'Code directory, over the one of the bundle' }),
    env: z.record(environmentName, z.string().regex(/^[^\0]*$/, 'no NUL')).exactOptional(),
    listen: listenAddress.exactOptional(),
    memory: z.int().min(1).exactOptional().meta({ description: 'Bytes' }),
    cpus: z.number().positive().max(4096).exactOptional(),
    network: z.enum(['none', 'host']).exactOptional(),
    count: z
      .int()
      .min(1)
      .max(10_000)
      .exactOptional()
      .meta({ description: 'Fork so many, named ID-1, ID-2 …: all or none. The answer has them in workers' }),
    onExit: z
      .enum(['delete', 'keep', 'restart'])
      .exactOptional()
      .meta({ description: 'What becomes of a worker that has ended. Default keep' }),
    ttlMs: z
      .int()
      .min(1)
      .max(31_622_400_000)
      .exactOptional()
      .meta({ description: 'Milliseconds that it may live' }),
    maxRequests: z
      .int()
      .min(1)
      .exactOptional()
      .meta({ description: 'The worker ends when it has answered so many' }),
    idleMs: z.int().min(1).max(2_147_483_647).exactOptional().meta({
      description: 'No process until somebody connects; it ends when idle for so many milliseconds',
    }),
    whenUnready: z
      .enum(['wait', 'fail', 'cold'])
      .exactOptional()
      .meta({ description: 'While the seed is not parked. Default fail' }),
    hold: z.boolean().exactOptional().meta({ description: 'Leave the clone parked until start' }),
    cold: z
      .boolean()
      .exactOptional()
      .meta({ description: "Start a fresh process with the seed's code instead of a clone" }),
  })
  .meta({ id: 'ForkRequest' });

export const forkResultSchema = z
  .object({
    id: z.string(),
    pid: z.int().meta({ description: '0: none runs until somebody asks' }),
    listen: z.string(),
    forkMs: z.number().meta({ description: 'Milliseconds from request to parked clone' }),
  })
  .meta({ id: 'ForkResult' });

export const forkManyResultSchema = z
  .object({ workers: z.array(forkResultSchema) })
  .meta({ id: 'ForkManyResult' });
