import type { FastifyInstance } from 'fastify';
import { checkpointRequestSchema, restoreRequestSchema } from '../../cli/api/checkpoint.js';
import { createResultSchema } from '../../cli/api/container.js';
import type { Operations } from '../../cli/operations.js';
import { emptyEndpoint, jsonEndpoint } from './endpoint.js';
import { idParams } from './id-params.js';

const tag = 'containers';

/** Containers into images of CRIU, and back. */
export function checkpoint(app: FastifyInstance, { operations }: { operations: Operations }): void {
  emptyEndpoint(app, {
    method: 'POST',
    url: '/containers/:id/checkpoint',
    summary: 'Save the processes of a running container',
    tag,
    params: idParams,
    body: checkpointRequestSchema,
    status: 204,
    errors: [
      'TURF_ERR_NOT_FOUND',
      'TURF_ERR_STATE',
      'TURF_ERR_UNSUPPORTED',
      'TURF_ERR_USAGE',
      'TURF_ERR_CHECKPOINT',
    ],
    handle: ({ params: { id }, body }) => operations.checkpoint({ id, ...body }),
  });

  jsonEndpoint(app, {
    method: 'POST',
    url: '/containers/:id/restore',
    summary: 'Make a container from the images of a checkpoint',
    tag,
    params: idParams,
    body: restoreRequestSchema,
    status: 201,
    response: createResultSchema,
    errors: [
      'TURF_ERR_INVALID_ID',
      'TURF_ERR_EXISTS',
      'TURF_ERR_BUNDLE',
      'TURF_ERR_CONFIG',
      'TURF_ERR_UNSUPPORTED',
      'TURF_ERR_USAGE',
      'TURF_ERR_CGROUP',
      'TURF_ERR_CHECKPOINT',
    ],
    async handle({ params: { id }, body, reply }) {
      const { bundle, pidFile, systemdCgroup, ...options } = body;
      const restored = await operations.restore({
        ...options,
        create: {
          id,
          bundle,
          ...(pidFile === undefined ? {} : { pidFile }),
          ...(systemdCgroup === undefined ? {} : { systemdCgroup }),
        },
      });
      reply.header('location', `/v1/containers/${restored.id}`);
      return restored;
    },
  });
}
