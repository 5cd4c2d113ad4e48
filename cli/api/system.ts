import { z } from 'zod';

export const healthSchema = z
  .object({
    status: z.literal('ok'),
    version: z.string(),
    uptimeSeconds: z.number(),
    containers: z.int(),
    seeds: z.int(),
    workers: z.int(),
  })
  .meta({ id: 'Health' });

export const versionSchema = z
  .object({
    version: z.string(),
    specVersion: z.string(),
    node: z.string(),
    kernel: z.string(),
    seccomp: z.string().exactOptional(),
  })
  .meta({ id: 'Version' });

export const checkReportSchema = z
  .object({
    ok: z.boolean(),
    items: z.array(
      z.object({
        name: z.string(),
        ok: z.boolean(),
        found: z.string(),
        without: z.string().meta({ description: 'What does not work without it; empty when ok' }),
      }),
    ),
  })
  .meta({ id: 'CheckReport' });

/** The OCI features document; oci-spec/ owns its shape. */
export const featuresSchema = z.record(z.string(), z.unknown()).meta({ id: 'Features' });

export const lifecycleEventSchema = z
  .object({
    type: z.enum([
      'create',
      'start',
      'pause',
      'resume',
      'exit',
      'delete',
      'seed-ready',
      'seed-down',
      'seed-roll',
      'seed-abandoned',
      'fork',
      'oom',
      'update',
      'scaled-to-zero',
      'woken',
      'checkpoint',
      'restore',
    ]),
    id: z.string(),
    time: z.string(),
    pid: z.int().exactOptional(),
    seed: z.string().exactOptional(),
    exitCode: z.int().exactOptional(),
    exitSignal: z.string().exactOptional(),
    reason: z.string().exactOptional(),
  })
  .meta({ id: 'LifecycleEvent' });
