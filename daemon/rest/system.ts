import type { FastifyInstance } from 'fastify';
import { checkReportSchema, featuresSchema, healthSchema, versionSchema } from '../../cli/api/system.js';
import type { Operations } from '../../cli/operations.js';
import { jsonEndpoint } from './endpoint.js';

const tag = 'system';

/** The daemon itself and the machine under it. */
export function system(app: FastifyInstance, { operations }: { operations: Operations }): void {
  jsonEndpoint(app, {
    method: 'GET',
    url: '/health',
    summary: 'Liveness and counts',
    tag,
    status: 200,
    response: healthSchema,
    handle: () => operations.health(),
  });

  jsonEndpoint(app, {
    method: 'GET',
    url: '/version',
    summary: 'Versions of turf, the OCI specification, Node and the kernel',
    tag,
    status: 200,
    response: versionSchema,
    handle: () => operations.version(),
  });

  jsonEndpoint(app, {
    method: 'GET',
    url: '/features',
    summary: 'The OCI features document',
    tag,
    status: 200,
    response: featuresSchema,
    handle: async () => featuresSchema.parse(await operations.features()),
  });

  jsonEndpoint(app, {
    method: 'GET',
    url: '/check',
    summary: 'What this machine offers, and what turf lacks without it',
    tag,
    status: 200,
    response: checkReportSchema,
    async handle() {
      const report = await operations.check();
      return { ok: report.ok, items: [...report.items] };
    },
  });
}
