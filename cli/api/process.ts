import { z } from 'zod';

export const processListSchema = z
  .object({ pids: z.array(z.int()).meta({ description: 'Of the host, ascending' }) })
  .meta({ id: 'ProcessList' });
