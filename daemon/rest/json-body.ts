import type { FastifyInstance } from 'fastify';
import { TurfError } from '../../cli/turf-error.js';

/**
 * Takes bodies of JSON and of nothing else. An empty one is none, whatever its type; keys that would change prototypes are refused.
 */
export function acceptJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) {
      done(null, undefined);
      return;
    }
    void parse(request, String(body), (error, value) => {
      if (error === null) done(null, value);
      else
        done(
          new TurfError('TURF_ERR_USAGE', `body: ${problemOf(String(body))}`, { path: 'body', cause: error }),
        );
    });
  });
}

function problemOf(body: string): string {
  try {
    JSON.parse(body);
    return 'has a key __proto__ or constructor.prototype';
  } catch (error) {
    return `is no JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
}
