import type { FastifyInstance } from 'fastify';
import { resourcesRequestSchema } from '../../cli/api/resources.js';
import type { Operations } from '../../cli/operations.js';
import { validateResources } from '../../oci-spec/parse.js';
import { asTurfError } from '../containers/bundle.js';
import { stringifyJson } from '../../oci-spec/json.js';
import { emptyEndpoint, streamEndpoint } from './endpoint.js';
import { idParams } from './id-params.js';

const tag = 'containers';

/** What containers may use, and what they use. */
export function resources(app: FastifyInstance, { operations }: { operations: Operations }): void {
  streamEndpoint(app, {
    method: 'GET',
    url: '/containers/:id/stats',
    summary: 'What a container uses, in the schema of `runc events --stats`',
    tag,
    params: idParams,
    status: 200,
    mediaType: 'application/json',
    errors: ['TURF_ERR_NOT_FOUND', 'TURF_ERR_STATE'],
    async stream({ params: { id }, reply }) {
      // Counters of 64 bits: fastify's own serialiser would round them.
      const text = stringifyJson(await operations.stats(id));
      return reply.type('application/json; charset=utf-8').send(text);
    },
  });

  emptyEndpoint(app, {
    method: 'PATCH',
    url: '/containers/:id/resources',
    summary: 'Change the limits of a container',
    tag,
    params: idParams,
    body: resourcesRequestSchema,
    status: 204,
    errors: [
      'TURF_ERR_NOT_FOUND',
      'TURF_ERR_STATE',
      'TURF_ERR_CONFIG',
      'TURF_ERR_CGROUP',
      'TURF_ERR_UNSUPPORTED',
    ],
    handle: ({ params: { id }, body }) =>
      operations.update(id, { resources: asTurfError(() => validateResources(body)) }),
  });
}
