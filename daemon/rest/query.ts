import { z } from 'zod';

/** `?force=true`; absent is false. */
export const queryFlag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((value) => value === 'true');

/** A whole number in a query. */
export const queryCount = z
  .string()
  .regex(/^\d{1,9}$/, 'a whole number')
  .transform(Number);
