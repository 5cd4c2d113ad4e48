import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { problemSchema } from '../../cli/api/problem.js';
import type { TurfErrorCode } from '../../cli/turf-error.js';

/** What the OpenAPI document says about a route. */
export interface EndpointDocumentation {
  readonly summary: string;
  readonly tag: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly success: { readonly status: number; readonly schema?: z.ZodType; readonly mediaType?: string };
  readonly errors: readonly TurfErrorCode[];
}

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly endpoint?: EndpointDocumentation;
  }
}

interface Input<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

interface EndpointBase<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly summary: string;
  readonly tag: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly bodyLimit?: number;
  readonly errors?: readonly TurfErrorCode[];
}

interface JsonEndpoint<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType,
  R extends z.ZodType,
> extends EndpointBase<P, Q, B> {
  readonly status: 200 | 201;
  readonly response: R;
  handle(input: Input<z.output<P>, z.output<Q>, z.output<B>>): Promise<z.input<R>>;
}

interface EmptyEndpoint<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType,
> extends EndpointBase<P, Q, B> {
  readonly status: 204;
  handle(input: Input<z.output<P>, z.output<Q>, z.output<B>>): Promise<void>;
}

interface StreamEndpoint<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType,
> extends EndpointBase<P, Q, B> {
  readonly status: 200;
  readonly mediaType: string;
  /** Sends through `reply`. */
  stream(input: Input<z.output<P>, z.output<Q>, z.output<B>>): Promise<unknown>;
}

const responseSchemas = new WeakMap<z.ZodType, unknown>();

/** The draft-7 form that fastify compiles into a serialiser; one per zod schema. */
function serialiserSchema(schema: z.ZodType): unknown {
  let made = responseSchemas.get(schema);
  if (made === undefined) {
    // `id` in .meta() would move a nested schema into definitions; reused ones are inlined for the serialiser instead.
    made = z.toJSONSchema(schema, { target: 'draft-7', io: 'input', reused: 'inline' });
    responseSchemas.set(schema, made);
  }
  return made;
}

function register<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>(
  app: FastifyInstance,
  endpoint: EndpointBase<P, Q, B>,
  success: EndpointDocumentation['success'],
  handler: (input: Input<z.output<P>, z.output<Q>, z.output<B>>) => Promise<unknown>,
): void {
  const { params, query, body } = endpoint;
  app.route({
    method: endpoint.method,
    url: endpoint.url,
    exposeHeadRoute: false,
    ...(endpoint.bodyLimit === undefined ? {} : { bodyLimit: endpoint.bodyLimit }),
    schema: {
      ...(params === undefined ? {} : { params }),
      ...(query === undefined ? {} : { querystring: query }),
      ...(body === undefined ? {} : { body }),
      response: {
        ...(success.schema === undefined ? {} : { [success.status]: serialiserSchema(success.schema) }),
        '4xx': serialiserSchema(problemSchema),
        '5xx': serialiserSchema(problemSchema),
      },
    },
    config: {
      endpoint: {
        summary: endpoint.summary,
        tag: endpoint.tag,
        ...(params === undefined ? {} : { params }),
        ...(query === undefined ? {} : { query }),
        ...(body === undefined ? {} : { body }),
        success,
        errors: endpoint.errors ?? [],
      },
    },
    handler: (request, reply) =>
      handler({
        // The validator compiler has replaced these three by the output of the schemas above.
        params: request.params as z.output<P>,
        query: request.query as z.output<Q>,
        body: request.body as z.output<B>,
        request,
        reply,
      }),
  });
}

/** Adds a route that answers JSON; the response schema compiles into its serialiser. */
export function jsonEndpoint<
  P extends z.ZodObject = z.ZodObject,
  Q extends z.ZodObject = z.ZodObject,
  B extends z.ZodType = z.ZodType,
  R extends z.ZodType = z.ZodType,
>(app: FastifyInstance, endpoint: JsonEndpoint<P, Q, B, R>): void {
  register(app, endpoint, { status: endpoint.status, schema: endpoint.response }, async (input) => {
    const result = await endpoint.handle(input);
    input.reply.code(endpoint.status);
    return result;
  });
}

/** Adds a route that answers 204. */
export function emptyEndpoint<
  P extends z.ZodObject = z.ZodObject,
  Q extends z.ZodObject = z.ZodObject,
  B extends z.ZodType = z.ZodType,
>(app: FastifyInstance, endpoint: EmptyEndpoint<P, Q, B>): void {
  register(app, endpoint, { status: 204 }, async (input) => {
    await endpoint.handle(input);
    return input.reply.code(204).send();
  });
}

/** Adds a route whose handler streams. */
export function streamEndpoint<
  P extends z.ZodObject = z.ZodObject,
  Q extends z.ZodObject = z.ZodObject,
  B extends z.ZodType = z.ZodType,
>(app: FastifyInstance, endpoint: StreamEndpoint<P, Q, B>): void {
  register(app, endpoint, { status: 200, mediaType: endpoint.mediaType }, (input) => endpoint.stream(input));
}
