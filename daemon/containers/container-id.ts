import { TurfError } from '../../cli/turf-error.js';
import { containerIdProblem } from '../../oci-spec/container-id.js';

/** Refuses what cannot be the id of a container. @throws TurfError TURF_ERR_INVALID_ID */
export function checkId(id: string): void {
  const problem = containerIdProblem(id);
  if (problem !== undefined) throw new TurfError('TURF_ERR_INVALID_ID', `id: ${problem}`, { path: 'id' });
}
