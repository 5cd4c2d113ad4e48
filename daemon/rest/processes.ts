import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { containerId } from '../../cli/api/container.js';
import { processListSchema } from '../../cli/api/process.js';
import type { Operations } from '../../cli/operations.js';
import { emptyEndpoint, jsonEndpoint } from './endpoint.js';

const tag = 'containers';
const params = z.object({ id: containerId });

/** What is done to all processes of a container. */
export function processes(app: FastifyInstance, { operations }: { operations: Operations }): void {
  jsonEndpoint(app, {
    method: 'GET',
    url: '/containers/:id/processes',
    summary: 'Processes of a container',
    tag,
    params,
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
    params,
    status: 204,
    errors: ['TURF_ERR_NOT_FOUND', 'TURF_ERR_STATE', 'TURF_ERR_CGROUP'],
    handle: ({ params: { id } }) => operations.pause(id),
  });

  emptyEndpoint(app, {
    method: 'POST',
    url: '/containers/:id/resume',
    summary: 'Let a paused container go on',
    tag,
    params,
    status: 204,
    errors: ['TURF_ERR_NOT_FOUND', 'TURF_ERR_STATE', 'TURF_ERR_CGROUP'],
    handle: ({ params: { id } }) => operations.resume(id),
  });
}
