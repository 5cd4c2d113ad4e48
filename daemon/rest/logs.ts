import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { LogChunk, LogsOptions, Operations } from '../../cli/operations.js';
import { abortOnClose } from './abort.js';
import { idParams } from './id-params.js';
import { streamEndpoint } from './endpoint.js';
import { toProblem } from './problem.js';
import { queryCount, queryFlag } from './query.js';

const query = z.strictObject({
  follow: queryFlag,
  tail: queryCount.exactOptional(),
  stream: z
    .enum(['stdout', 'stderr', 'all'])
    .exactOptional()
    .meta({ description: 'Plain bytes of one stream or both; absent: one JSON object per line' }),
});

/** Captured output of containers. */
export function logs(app: FastifyInstance, { operations }: { operations: Operations }): void {
  streamEndpoint(app, {
    method: 'GET',
    url: '/containers/:id/logs',
    summary: 'Captured output, as JSON lines or plain bytes',
    tag: 'containers',
    params: idParams,
    query,
    status: 200,
    mediaType: 'application/x-ndjson',
    errors: ['TURF_ERR_NOT_FOUND'],
    async stream({ params: { id }, query: { follow, tail, stream }, reply }) {
      // Answers 404 before the first byte of a stream, however long that byte takes to come.
      await operations.state(id);
      const options: LogsOptions = {
        follow,
        signal: abortOnClose(reply),
        ...(tail === undefined ? {} : { tail }),
      };
      const chunks = operations.logs(id, options);
      if (stream === undefined) {
        return reply.type('application/x-ndjson').send(Readable.from(jsonLines(chunks)));
      }
      return reply.type('application/octet-stream').send(Readable.from(bytes(chunks, stream)));
    },
  });
}

async function* jsonLines(chunks: AsyncIterable<LogChunk>): AsyncGenerator<string> {
  try {
    for await (const chunk of chunks) {
      yield `${JSON.stringify({ stream: chunk.stream, data: Buffer.from(chunk.data).toString('base64') })}\n`;
    }
  } catch (error) {
    yield `${JSON.stringify({ error: toProblem(error) })}\n`;
  }
}

async function* bytes(
  chunks: AsyncIterable<LogChunk>,
  stream: 'stdout' | 'stderr' | 'all',
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    if (stream === 'all' || chunk.stream === stream) yield chunk.data;
  }
}
