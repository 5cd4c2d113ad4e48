import type { FastifyInstance } from 'fastify';
import { processListSchema } from '../../cli/api/process.js';
import type { Operations } from '../../cli/operations.js';
import { emptyEndpoint, jsonEndpoint } from './endpoint.js';
import { idParams } from './id-params.js';

const tag = 'containers';

/** What is done to all processes of a container. */
export function processes(app: FastifyInstance, { operations }: { operations: Operations }): void {
  jsonEndpoint(app, {
    method: 'GET',
    url: '/containers/:id/processes',
    summary: 'Processes of a container',
    tag,
    params: idParams,
    status: 200,
    response: processListSchema,
    errors: ['TURF_ERR_NOT_FOUND', 'TURF_ERR_CGROUP'],
    handle: async ({ params: { id } }) => ({ pids: [...(await operations.processes(id))] }),
  });

  emptyEndpoint(app, {
    method: 'POST',
    url: '/containers/:id/pause',
    summary: 'Freeze every process of a container',
    tag,
    params: idParams,
    status: 204,
    errors: ['TURF_ERR_NOT_FOUND', 'TURF_ERR_STATE', 'TURF_ERR_CGROUP'],
    handle: ({ params: { id } }) => operations.pause(id),
  });

  emptyEndpoint(app, {
    method: 'POST',
    url: '/containers/:id/resume',
    summary: 'Let a paused container go on',
    tag,
    params: idParams,
    status: 204,
    errors: ['TURF_ERR_NOT_FOUND', 'TURF_ERR_STATE', 'TURF_ERR_CGROUP'],
    handle: ({ params: { id } }) => operations.resume(id),
  });
}
