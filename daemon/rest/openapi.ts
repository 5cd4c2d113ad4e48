import type { FastifyInstance, RouteOptions } from 'fastify';
import { z } from 'zod';
import { problemSchema } from '../../cli/api/problem.js';
import { ERROR_CODES } from '../../cli/turf-error.js';
import type { EndpointDocumentation } from './endpoint.js';

export interface DocumentedRoute {
  readonly method: string;
  readonly url: string;
  readonly endpoint: EndpointDocumentation;
}

type Json = Record<string, unknown>;
const jsonObject = z.record(z.string(), z.unknown());

/** Collects every route registered after it, for the document and for 405 answers. */
export function collectRoutes(app: FastifyInstance): readonly DocumentedRoute[] {
  const routes: DocumentedRoute[] = [];
  app.addHook('onRoute', (route: RouteOptions) => {
    const endpoint = route.config?.endpoint;
    if (endpoint === undefined) return;
    for (const method of [route.method].flat()) routes.push({ method, url: route.url, endpoint });
  });
  return routes;
}

/** Serves the OpenAPI 3.1 document, made once from the zod schemas of the routes. */
export function openapi(
  app: FastifyInstance,
  { routes, version }: { routes: readonly DocumentedRoute[]; version: string },
): void {
  let text: string | undefined;
  app.get('/openapi.json', { exposeHeadRoute: false }, (_request, reply) => {
    text ??= JSON.stringify(openapiDocument(routes, version));
    return reply.type('application/json; charset=utf-8').send(text);
  });
}

/** Builds the OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0). */
export function openapiDocument(routes: readonly DocumentedRoute[], version: string): Json {
  const components: Json = {};
  const paths: Record<string, Json> = {};
  for (const { method, url, endpoint } of routes) {
    const path = url.replace(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[method.toLowerCase()] = operation(endpoint, method, path, components);
  }
  component(problemSchema, 'input', components);
  return {
    openapi: '3.1.0',
    info: {
      title: 'turf',
      version,
      description: 'OCI containers and warm-forked JavaScript workers, over a Unix socket.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://localhost', description: 'Unix socket <root>/turf.sock' }],
    paths,
    components: { schemas: components },
  };
}

function operation(endpoint: EndpointDocumentation, method: string, path: string, components: Json): Json {
  const { success } = endpoint;
  const responses: Record<string, Json> = {};
  const mediaType = success.mediaType ?? 'application/json';
  responses[String(success.status)] = {
    description: success.status === 204 ? 'Done' : 'Success',
    ...(success.schema !== undefined && {
      content: { [mediaType]: { schema: component(success.schema, 'input', components) } },
    }),
    ...(success.mediaType !== undefined && { content: { [mediaType]: { schema: { type: 'string' } } } }),
  };
  for (const code of ['TURF_ERR_USAGE', ...endpoint.errors, 'TURF_ERR_SYSTEM'] as const) {
    const status = String(ERROR_CODES[code].status);
    const before = responses[status]?.['description'];
    responses[status] = {
      description: typeof before === 'string' ? `${before}, ${code}` : code,
      content: { 'application/problem+json': { schema: component(problemSchema, 'input', components) } },
    };
  }
  const parameters = [
    ...parameterList(endpoint.params, 'path', components),
    ...parameterList(endpoint.query, 'query', components),
  ];
  return {
    operationId: operationId(method, path),
    summary: endpoint.summary,
    tags: [endpoint.tag],
    ...(parameters.length > 0 && { parameters }),
    ...(endpoint.body !== undefined && {
      requestBody: {
        required: !endpoint.body.safeParse({}).success,
        content: { 'application/json': { schema: component(endpoint.body, 'input', components) } },
      },
    }),
    responses,
  };
}

/** `POST /v1/seeds/{id}/fork` as `postSeedsIdFork`. */
function operationId(method: string, path: string): string {
  const words = path.split(/[^a-z]+/i).filter((word) => word !== '' && word !== 'v');
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function parameterList(schema: z.ZodObject | undefined, place: 'path' | 'query', components: Json): Json[] {
  if (schema === undefined) return [];
  const properties = jsonObject.parse(component(schema, 'input', components)['properties']);
  return Object.entries(properties).map(([name, type]) => ({
    name,
    in: place,
    required: place === 'path',
    schema: type,
  }));
}

/** A reference where the schema carries an id, else the schema itself; nested ids become references too. */
function component(schema: z.core.$ZodType, io: 'input' | 'output', components: Json): Json {
  const made = jsonObject.parse(inComponents(z.toJSONSchema(schema, { io, reused: 'inline' })));
  const definitions = jsonObject.parse(made['$defs'] ?? {});
  for (const [name, definition] of Object.entries(definitions)) {
    components[name] ??= without(jsonObject.parse(definition), ['id']);
  }
  const inlined = without(made, ['$schema', '$defs', 'id']);
  const id = made['id'];
  if (typeof id !== 'string') return inlined;
  components[id] ??= inlined;
  return { $ref: `#/components/schemas/${id}` };
}

/** Moves `#/$defs/X` references to where the document keeps its schemas. */
function inComponents(schema: unknown): unknown {
  const text = JSON.stringify(schema, (key, value: unknown) =>
    key === '$ref' && typeof value === 'string' ? value.replace('#/$defs/', '#/components/schemas/') : value,
  );
  return JSON.parse(text) as unknown;
}

function without(object: Json, keys: readonly string[]): Json {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}
