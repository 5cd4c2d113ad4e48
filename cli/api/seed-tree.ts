import { z } from 'zod';
import { turfStates } from './container.js';
import { seedPolicySchema } from './seed-policy.js';
import { seedInfoSchema } from './seed.js';

export const memoryUseSchema = z
  .object({
    rss: z.int(),
    pss: z.int(),
    shared: z.int(),
    private: z.int(),
    swap: z.int(),
    pageTables: z.int(),
  })
  .meta({ id: 'MemoryUse', description: 'Bytes' });

export const treeSchema = z.array(
  z
    .object({
      id: z.string(),
      kind: z.enum(['seed', 'worker']),
      state: z.enum(turfStates),
      pid: z.int(),
      memory: memoryUseSchema.exactOptional(),
      parent: z.string().exactOptional().meta({ description: 'What it was cloned from' }),
      orphan: z.boolean().meta({ description: 'The parent has gone' }),
      depth: z.int(),
    })
    .meta({ id: 'TreeNode' }),
);

export const seedDetailsSchema = seedInfoSchema
  .extend({
    policy: seedPolicySchema,
    network: z.enum(['none', 'host']),
    code: z.string().exactOptional(),
    idBase: z.int().exactOptional(),
    memory: memoryUseSchema.exactOptional(),
    workerIds: z.array(z.string()),
    seedIds: z.array(z.string()),
  })
  .meta({ id: 'SeedDetails' });
