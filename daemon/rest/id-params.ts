import { z } from 'zod';
import { containerId } from '../../cli/api/container.js';

/** Of a path with one `:id`. */
export const idParams = z.object({ id: containerId });
