import type { FastifyInstance } from 'fastify';
import { treeSchema } from '../../cli/api/seed-tree.js';
import type { Operations } from '../../cli/operations.js';
import { jsonEndpoint } from './endpoint.js';

/** Seeds with their clones and memory. */
export function tree(app: FastifyInstance, { operations }: { operations: Operations }): void {
  jsonEndpoint(app, {
    method: 'GET',
    url: '/tree',
    summary: 'Seeds and workers with their memory, clones right behind what they were cloned from',
    tag: 'seeds',
    status: 200,
    response: treeSchema,
    handle: async () => [...(await operations.tree())],
  });
}
