import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { invokeRequestSchema, invokeResultSchema, type InvokeWireResult } from '../../cli/api/worker.js';
import type { InvokeResult, Operations } from '../../cli/operations.js';
import { jsonEndpoint } from './endpoint.js';
import { idParams } from './id-params.js';

/** Bodies travel inside JSON here, so this route allows more than the others. */
const invokeBodyLimit = 16 * 1024 * 1024;

/** Requests to workers. */
export function workers(app: FastifyInstance, { operations }: { operations: Operations }): void {
  jsonEndpoint(app, {
    method: 'POST',
    url: '/workers/:id/invoke',
    summary: 'Send one HTTP request to a worker',
    tag: 'workers',
    params: idParams,
    body: invokeRequestSchema,
    bodyLimit: invokeBodyLimit,
    status: 200,
    response: invokeResultSchema,
    errors: ['TURF_ERR_NOT_FOUND', 'TURF_ERR_STATE', 'TURF_ERR_TIMEOUT', 'TURF_ERR_UNAVAILABLE'],
    async handle({ params: { id }, body }) {
      const payload = requestBody(body);
      const result = await operations.invoke({
        id,
        method: body.method,
        path: body.path,
        headers: body.headers,
        ...(payload === undefined ? {} : { body: payload }),
        ...(body.timeoutMs === undefined ? {} : { timeoutMs: body.timeoutMs }),
      });
      return toWire(result);
    },
  });
}

function requestBody(request: z.output<typeof invokeRequestSchema>): Uint8Array | undefined {
  if (request.body !== undefined) return Buffer.from(request.body, 'utf8');
  if (request.bodyBase64 !== undefined) return Buffer.from(request.bodyBase64, 'base64');
  return undefined;
}

function toWire(result: InvokeResult): InvokeWireResult {
  const body = Buffer.from(result.body.buffer, result.body.byteOffset, result.body.byteLength);
  return {
    status: result.status,
    statusText: result.statusText,
    headers: result.headers.map(([name, value]) => [name, value]),
    ...(isUtf8(body) ? { body: body.toString('utf8') } : { bodyBase64: body.toString('base64') }),
  };
}
