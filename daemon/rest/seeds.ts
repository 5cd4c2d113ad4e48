import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { containerId } from '../../cli/api/container.js';
import {
  forkRequestSchema,
  forkResultSchema,
  seedCreateRequestSchema,
  seedInfoSchema,
  seedListSchema,
} from '../../cli/api/seed.js';
import type { Operations, SeedInfo } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { emptyEndpoint, jsonEndpoint } from './endpoint.js';
import { queryFlag } from './query.js';

const tag = 'seeds';
const params = z.object({ id: containerId });

async function findSeed(operations: Operations, id: string): Promise<SeedInfo> {
  const seed = (await operations.seedList()).find((candidate) => candidate.id === id);
  if (seed === undefined) throw new TurfError('TURF_ERR_NOT_FOUND', `seed ${id} does not exist`);
  return seed;
}

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
    params,
    status: 200,
    response: seedInfoSchema,
    errors: ['TURF_ERR_NOT_FOUND'],
    handle: ({ params: { id } }) => findSeed(operations, id),
  });

  emptyEndpoint(app, {
    method: 'DELETE',
    url: '/seeds/:id',
    summary: 'Delete a seed',
    tag,
    params,
    query: z.strictObject({ force: queryFlag }),
    status: 204,
    errors: ['TURF_ERR_NOT_FOUND', 'TURF_ERR_STATE'],
    async handle({ params: { id }, query: { force } }) {
      await findSeed(operations, id);
      await operations.delete(id, { force });
    },
  });

  jsonEndpoint(app, {
    method: 'POST',
    url: '/seeds/:id/fork',
    summary: 'Fork a worker from a seed and start it',
    tag,
    params,
    body: forkRequestSchema,
    status: 201,
    response: forkResultSchema,
    errors: [
      'TURF_ERR_NOT_FOUND',
      'TURF_ERR_EXISTS',
      'TURF_ERR_SEED',
      'TURF_ERR_CONFIG',
      'TURF_ERR_LAUNCH',
      'TURF_ERR_TIMEOUT',
    ],
    async handle({ params: { id: seed }, body, reply }) {
      const worker = await operations.fork({ ...body, seed });
      reply.header('location', `/v1/containers/${worker.id}`);
      return worker;
    },
  });
}
