import { z } from 'zod';
import { absolutePath } from './container.js';
import { timeoutMs } from './timeout.js';

const YEAR_MS = 31_622_400_000;

export const drainSchema = z.enum(['now', 'idle']);

export const seedPolicySchema = z
  .strictObject({
    restart: z
      .enum(['no', 'on-failure', 'always'])
      .exactOptional()
      .meta({ description: 'When a seed that ended is replaced. Default no' }),
    maxRestarts: z
      .int()
      .min(1)
      .max(1_000_000)
      .exactOptional()
      .meta({ description: 'Failures in a row before it is given up. Default 10' }),
    livenessMs: z.int().min(0).max(YEAR_MS).exactOptional().meta({
      description: 'A seed that does not answer for so long hangs, and is killed. Default 30000; 0: never',
    }),
    maxMemory: z
      .int()
      .min(1)
      .exactOptional()
      .meta({ description: 'Bytes that a parked seed may hold; one that holds more is replaced' }),
    drain: drainSchema
      .exactOptional()
      .meta({ description: 'When a replaced version ends: now, or idle: with its last worker. Default now' }),
    maxAgeMs: z.int().min(1000).max(YEAR_MS).exactOptional().meta({ description: 'Replaced when so old' }),
    maxForks: z.int().min(1).exactOptional().meta({ description: 'Replaced after so many forks' }),
  })
  .meta({ id: 'SeedPolicy' });

export const seedRollRequestSchema = z
  .strictObject({
    bundle: absolutePath.exactOptional().meta({ description: 'Default: the bundle of the last version' }),
    drain: drainSchema.exactOptional(),
    timeoutMs: timeoutMs.exactOptional(),
  })
  .meta({ id: 'SeedRollRequest' });
