import { z } from 'zod';

/** RFC 9457 problem details with turf's stable code. */
export const problemSchema = z
  .object({
    type: z.string().meta({ example: 'urn:turf:error:TURF_ERR_NOT_FOUND' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().exactOptional().meta({ description: 'Path of the request' }),
    code: z.string().meta({ description: 'Stable code, see docs/errors.md' }),
    operation: z.string().exactOptional(),
    path: z.string().exactOptional().meta({ description: 'Field, file or object at fault' }),
    issues: z
      .array(
        z.object({
          in: z.enum(['body', 'query', 'path']),
          path: z.string(),
          message: z.string(),
        }),
      )
      .exactOptional(),
  })
  .meta({ id: 'Problem' });

export type Problem = z.infer<typeof problemSchema>;
