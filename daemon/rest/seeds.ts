import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import {
  forkManyResultSchema,
  forkRequestSchema,
  forkResultSchema,
  seedCreateRequestSchema,
  seedInfoSchema,
  seedListSchema,
} from '../../cli/api/seed.js';
import { seedRollRequestSchema } from '../../cli/api/seed-policy.js';
import { seedDetailsSchema } from '../../cli/api/seed-tree.js';
import type { Operations } from '../../cli/operations.js';
import { emptyEndpoint, jsonEndpoint } from './endpoint.js';
import { idParams } from './id-params.js';
import { queryFlag } from './query.js';

const tag = 'seeds';

/** Seeds, and the workers forked from them. */
export function seeds(app: FastifyInstance, { operations }: { operations: Operations }): void {
  jsonEndpoint(app, {
    method: 'POST',
    url: '/seeds',
    summary: 'Create a seed and wait until it is parked at its fork point',
    tag,
    body: seedCreateRequestSchema,
    status: 201,
    response: seedInfoSchema,
    errors: [
      'TURF_ERR_EXISTS',
      'TURF_ERR_BUNDLE',
      'TURF_ERR_CONFIG',
      'TURF_ERR_SEED',
      'TURF_ERR_LAUNCH',
      'TURF_ERR_TIMEOUT',
    ],
    async handle({ body, reply }) {
      const seed = await operations.seedCreate(body);
      reply.header('location', `/v1/seeds/${seed.id}`);
      return seed;
    },
  });

  jsonEndpoint(app, {
    method: 'GET',
    url: '/seeds',
    summary: 'List seeds',
    tag,
    status: 200,
    response: seedListSchema,
    handle: async () => [...(await operations.seedList())],
  });

  jsonEndpoint(app, {
    method: 'GET',
    url: '/seeds/:id',
    summary: 'One seed',
    tag,
    params: idParams,
    status: 200,
    response: seedDetailsSchema,
    errors: ['TURF_ERR_NOT_FOUND'],
    async handle({ params: { id } }) {
      const seed = await operations.seedInspect(id);
      return { ...seed, workerIds: [...seed.workerIds], seedIds: [...seed.seedIds] };
    },
  });

  jsonEndpoint(app, {
    method: 'POST',
    url: '/seeds/:id/roll',
    summary: 'Replace a seed by a new version of it',
    tag,
    params: idParams,
    body: seedRollRequestSchema,
    status: 201,
    response: seedInfoSchema,
    errors: ['TURF_ERR_NOT_FOUND', 'TURF_ERR_STATE', 'TURF_ERR_BUNDLE', 'TURF_ERR_CONFIG', 'TURF_ERR_SEED'],
    handle: ({ params: { id }, body }) => operations.seedRoll({ ...body, id }),
  });

  emptyEndpoint(app, {
    method: 'DELETE',
    url: '/seeds/:id',
    summary: 'End and delete a seed; with force, although clones of it live',
    tag,
    params: idParams,
    query: z.strictObject({ force: queryFlag }),
    status: 204,
    errors: ['TURF_ERR_NOT_FOUND', 'TURF_ERR_STATE'],
    handle: ({ params: { id }, query: { force } }) => operations.seedRemove(id, { force }),
  });

  jsonEndpoint(app, {
    method: 'POST',
    url: '/seeds/:id/fork',
    summary: 'Fork a worker from a seed and start it; with count, many',
    tag,
    params: idParams,
    body: forkRequestSchema,
    status: 201,
    response: z.union([forkResultSchema, forkManyResultSchema]),
    errors: [
      'TURF_ERR_NOT_FOUND',
      'TURF_ERR_EXISTS',
      'TURF_ERR_SEED',
      'TURF_ERR_CONFIG',
      'TURF_ERR_LAUNCH',
      'TURF_ERR_TIMEOUT',
    ],
    async handle({ params: { id: seed }, body: { count, ...body }, reply }) {
      if (count !== undefined) return { workers: [...(await operations.forkMany({ ...body, seed }, count))] };
      const worker = await operations.fork({ ...body, seed });
      reply.header('location', `/v1/containers/${worker.id}`);
      return worker;
    },
  });
}
