import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import {
  containerListSchema,
  containerStateSchema,
  createRequestSchema,
  createResultSchema,
  killRequestSchema,
} from '../../cli/api/container.js';
import type { Operations } from '../../cli/operations.js';
import { abortOnClose } from './abort.js';
import { idParams } from './id-params.js';
import { emptyEndpoint, jsonEndpoint } from './endpoint.js';
import { queryFlag } from './query.js';

const tag = 'containers';

/** Lifecycle of OCI containers, seeds and workers alike. */
export function containers(app: FastifyInstance, { operations }: { operations: Operations }): void {
  jsonEndpoint(app, {
    method: 'POST',
    url: '/containers',
    summary: 'Create a container from a bundle',
    tag,
    body: createRequestSchema,
    status: 201,
    response: createResultSchema,
    errors: [
      'TURF_ERR_INVALID_ID',
      'TURF_ERR_EXISTS',
      'TURF_ERR_BUNDLE',
      'TURF_ERR_CONFIG',
      'TURF_ERR_UNSUPPORTED',
      'TURF_ERR_SEED',
      'TURF_ERR_LAUNCH',
      'TURF_ERR_HOOK',
      'TURF_ERR_CGROUP',
    ],
    async handle({ body, reply }) {
      const created = await operations.create(body);
      reply.header('location', `/v1/containers/${created.id}`);
      return created;
    },
  });

  jsonEndpoint(app, {
    method: 'GET',
    url: '/containers',
    summary: 'List containers, seeds and workers',
    tag,
    status: 200,
    response: containerListSchema,
    handle: async () => [...(await operations.list())],
  });

  jsonEndpoint(app, {
    method: 'GET',
    url: '/containers/:id',
    summary: 'State of a container',
    tag,
    params: idParams,
    status: 200,
    response: containerStateSchema,
    errors: ['TURF_ERR_NOT_FOUND'],
    handle: ({ params: { id } }) => operations.state(id),
  });

  emptyEndpoint(app, {
    method: 'POST',
    url: '/containers/:id/start',
    summary: 'Start a created container',
    tag,
    params: idParams,
    status: 204,
    errors: ['TURF_ERR_NOT_FOUND', 'TURF_ERR_STATE', 'TURF_ERR_LAUNCH', 'TURF_ERR_HOOK'],
    handle: ({ params: { id } }) => operations.start(id),
  });

  emptyEndpoint(app, {
    method: 'POST',
    url: '/containers/:id/kill',
    summary: 'Send a signal',
    tag,
    params: idParams,
    body: killRequestSchema,
    status: 204,
    errors: ['TURF_ERR_NOT_FOUND', 'TURF_ERR_STATE'],
    handle: ({ params: { id }, body }) => operations.kill(id, String(body.signal), body.all),
  });

  emptyEndpoint(app, {
    method: 'DELETE',
    url: '/containers/:id',
    summary: 'Delete a stopped container, or with force any',
    tag,
    params: idParams,
    query: z.strictObject({ force: queryFlag }),
    status: 204,
    errors: ['TURF_ERR_NOT_FOUND', 'TURF_ERR_STATE', 'TURF_ERR_CGROUP'],
    handle: ({ params: { id }, query }) => operations.delete(id, { force: query.force }),
  });

  jsonEndpoint(app, {
    method: 'GET',
    url: '/containers/:id/wait',
    summary: 'Wait until the process of a container has ended',
    tag,
    params: idParams,
    status: 200,
    response: containerStateSchema,
    errors: ['TURF_ERR_NOT_FOUND'],
    handle: ({ params: { id }, reply }) => operations.wait(id, abortOnClose(reply)),
  });
}
