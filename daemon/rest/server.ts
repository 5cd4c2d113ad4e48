import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Operations } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { checkpoint } from './checkpoint.js';
import { containers } from './containers.js';
import { events } from './events.js';
import { exec } from './exec.js';
import { acceptJsonBodies } from './json-body.js';
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
/** A request that is not complete by then is answered 408. Answers may take as long as they like. */
const requestTimeout = 60_000;

function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(error, request.url.split('?', 1)[0]);
  if (problem.status >= 500) request.log.error({ err: error, code: problem.code }, 'request failed');
  return reply.code(problem.status).type('application/problem+json').send(problem);
}

/**
 * Builds the REST API; the caller listens (`listen({ path })`) and closes. Closing ends open streams.
 */
export function buildRestServer(options: RestServerOptions): FastifyInstance {
  const { operations, version } = options;
  const app = fastify({
    ...(options.logger === undefined ? { logger: false } : { loggerInstance: options.logger }),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit,
    requestTimeout,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 1024 },
    // What is wrong before there is a route: the path is no URL, or an id is too long.
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply),
  });
  app.setValidatorCompiler(compileValidator);
  app.setErrorHandler<FastifyError>(answerError);
  acceptJsonBodies(app);

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
