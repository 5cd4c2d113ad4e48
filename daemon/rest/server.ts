import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
} from 'fastify';
import type { Operations } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { checkpoint } from './checkpoint.js';
import { containers } from './containers.js';
import { events } from './events.js';
import { exec } from './exec.js';
import { logs } from './logs.js';
import { processes } from './processes.js';
import { allowedMethods } from './methods.js';
import { collectRoutes, openapi } from './openapi.js';
import { toProblem } from './problem.js';
import { resources } from './resources.js';
import { seeds } from './seeds.js';
import { system } from './system.js';
import { tree } from './tree.js';
import { compileValidator } from './validation.js';
import { workers } from './workers.js';

export interface RestServerOptions {
  readonly operations: Operations;
  readonly logger?: FastifyBaseLogger;
  readonly version: string;
  /** Milliseconds between heartbeats of the event stream; default 15,000. */
  readonly heartbeatMs?: number;
}

const bodyLimit = 1024 * 1024;

/**
 * Builds the REST API; the caller listens (`listen({ path })`) and closes. Closing ends open streams.
 */
export function buildRestServer(options: RestServerOptions): FastifyInstance {
  const { operations, version } = options;
  const app = fastify({
    ...(options.logger === undefined ? { logger: false } : { loggerInstance: options.logger }),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 1024 },
  });
  app.setValidatorCompiler(compileValidator);
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const problem = toProblem(error, request.url.split('?', 1)[0]);
    if (problem.status >= 500) request.log.error({ err: error, code: problem.code }, 'request failed');
    return reply.code(problem.status).type('application/problem+json').send(problem);
  });

  const routes = collectRoutes(app);
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '/';
    const allowed = allowedMethods(routes, path);
    if (allowed.length === 0) {
      const missing = new TurfError('TURF_ERR_NOT_FOUND', `no route ${request.method} ${path}`);
      return reply.code(404).type('application/problem+json').send(toProblem(missing, path));
    }
    const wrong = new TurfError('TURF_ERR_USAGE', `${request.method} is not allowed on ${path}`);
    return reply
      .code(405)
      .header('allow', allowed.join(', '))
      .type('application/problem+json')
      .send({ ...toProblem(wrong, path), status: 405 });
  });

  app.register(
    (v1, _options, done) => {
      containers(v1, { operations });
      processes(v1, { operations });
      checkpoint(v1, { operations });
      exec(v1, { operations });
      resources(v1, { operations });
      logs(v1, { operations });
      seeds(v1, { operations });
      tree(v1, { operations });
      workers(v1, { operations });
      events(v1, { operations, heartbeatMs: options.heartbeatMs ?? 15_000 });
      system(v1, { operations });
      done();
    },
    { prefix: '/v1' },
  );
  openapi(app, { routes, version });
  return app;
}
