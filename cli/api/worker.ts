import { z } from 'zod';
import { timeoutMs } from './timeout.js';

const header = z.tuple([z.string(), z.string()]);

/** A request for a worker. A body is text in `body`, or any bytes in `bodyBase64`. */
export const invokeRequestSchema = z
  .strictObject({
    method: z
      .string()
      .regex(/^[!#$%&'*+.^_`|~\w-]{1,64}$/, 'an HTTP method')
      .default('GET'),
    path: z
      .string()
      .regex(/^\/[\x21-\x7e]*$/, 'a path with query, starting with /')
      .default('/'),
    headers: z.array(header).default([]),
    body: z.string().exactOptional(),
    bodyBase64: z.base64().exactOptional(),
    timeoutMs: timeoutMs.exactOptional(),
  })
  .refine((request) => request.body === undefined || request.bodyBase64 === undefined, {
    path: ['bodyBase64'],
    message: 'body and bodyBase64 exclude each other',
  })
  .meta({ id: 'InvokeRequest' });

/** The worker's answer: `body` where it is UTF-8, else `bodyBase64`. */
export const invokeResultSchema = z
  .object({
    status: z.int(),
    statusText: z.string(),
    headers: z.array(header),
    body: z.string().exactOptional(),
    bodyBase64: z.base64().exactOptional(),
  })
  .meta({ id: 'InvokeResult' });

export type InvokeWireResult = z.infer<typeof invokeResultSchema>;
