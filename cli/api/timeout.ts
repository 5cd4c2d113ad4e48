import { z } from 'zod';

/** An hour. */
export const LONGEST_TIMEOUT_MS = 3_600_000;

/** How long a request may take, in milliseconds. */
export const timeoutMs = z.int().min(1).max(LONGEST_TIMEOUT_MS);
