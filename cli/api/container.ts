import { z } from 'zod';
import { isContainerId, MAX_ID_LENGTH } from '../../oci-spec/container-id.js';

/** Container ids as runc allows them; the daemon checks again before it touches a path. */
export const containerId = z
  .string()
  .min(1)
  .max(MAX_ID_LENGTH)
  .refine(isContainerId, 'letters, digits, and _ + - . only, not starting with a dot')
  .meta({ description: 'Id of the container, seed or worker', example: 'hello-1' });

/** A path as the kernel takes it: absolute and without NUL. */
export const absolutePath = z
  .string()
  .max(4095)
  .regex(/^\/[^\0]*$/, 'an absolute path');

export const turfStates = [
  'init',
  'starting',
  'running',
  'forkwait',
  'cloning',
  'stopping',
  'stopped',
  'asleep',
] as const;

export const containerStateSchema = z
  .object({
    ociVersion: z.string(),
    id: z.string(),
    pid: z.int().meta({ description: '0 once stopped' }),
    status: z.enum(['creating', 'created', 'running', 'paused', 'stopped', 'asleep']),
    bundle: z.string(),
    rootfs: z.string(),
    created: z.string().meta({ description: 'RFC 3339' }),
    annotations: z.record(z.string(), z.string()).exactOptional(),
    owner: z.string(),
    turf: z.object({
      kind: z.enum(['container', 'seed', 'worker']),
      state: z.enum(turfStates),
      seed: z.string().exactOptional(),
      start: z.enum(['cold', 'snapshot']).exactOptional(),
      listen: z.string().exactOptional(),
      exitCode: z.int().exactOptional(),
      exitSignal: z.string().exactOptional(),
      stoppedAt: z.string().exactOptional(),
      oomKills: z.int().exactOptional(),
      resources: z
        .record(z.string(), z.unknown())
        .exactOptional()
        .meta({ description: 'What update has set since the container was made' }),
    }),
  })
  .meta({ id: 'ContainerState' });

export const containerListSchema = z.array(containerStateSchema);

export const createRequestSchema = z
  .strictObject({
    id: containerId,
    bundle: absolutePath.meta({ description: 'Bundle directory' }),
    pidFile: absolutePath.exactOptional(),
    consoleSocket: absolutePath.exactOptional(),
    noPivot: z.boolean().exactOptional(),
    noNewKeyring: z.boolean().exactOptional(),
    systemdCgroup: z.boolean().exactOptional(),
    seed: containerId.exactOptional().meta({ description: 'Clone a worker from this seed' }),
  })
  .meta({ id: 'CreateRequest' });

export const createResultSchema = z.object({ id: z.string(), pid: z.int() }).meta({ id: 'CreateResult' });

export const killRequestSchema = z
  .strictObject({
    signal: z
      .union([z.string().min(1).max(20), z.int().min(0).max(64)])
      .default('SIGTERM')
      .meta({ description: 'Name with or without SIG, or number' }),
    all: z.boolean().default(false).meta({ description: 'Reach every process of the container' }),
  })
  .meta({ id: 'KillRequest' });

export const logLineSchema = z
  .object({
    stream: z.enum(['stdout', 'stderr']),
    data: z.base64().meta({ description: 'The bytes, base64' }),
  })
  .meta({ id: 'LogLine' });
