import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { logLineSchema } from './api/container.js';
import { execLineSchema } from './api/exec.js';
import { problemSchema } from './api/problem.js';
import { lifecycleEventSchema } from './api/system.js';
import type { ExecOutput } from './exec.js';
import type { LifecycleEvent } from './lifecycle-event.js';
import type { LogChunk } from './operations.js';
import { errorFromProblem } from './rest-transport.js';
import { TurfError } from './turf-error.js';

const errorLineSchema = z.object({ error: problemSchema });

/** Splits a stream of UTF-8 text at `separator`; what follows the last one is dropped, being incomplete. */
async function* pieces(
  response: IncomingMessage,
  separator: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  response.setEncoding('utf8');
  let rest = '';
  try {
    for await (const chunk of response) {
      const parts = (rest + String(chunk)).split(separator);
      rest = parts.pop() ?? '';
      yield* parts;
    }
  } catch (cause) {
    if (signal?.aborted === true) return;
    throw new TurfError('TURF_ERR_UNAVAILABLE', 'the daemon closed the stream', { cause });
  } finally {
    response.destroy();
  }
}

/** Parses the JSON lines of `GET /v1/containers/:id/logs`. */
export async function* readLogs(
  response: IncomingMessage,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogChunk> {
  for await (const line of pieces(response, '\n', signal)) {
    const value: unknown = JSON.parse(line);
    const failed = errorLineSchema.safeParse(value);
    if (failed.success) throw errorFromProblem(failed.data.error, 'the log stream failed');
    const { stream, data } = logLineSchema.parse(value);
    yield { stream, data: Buffer.from(data, 'base64') };
  }
}

/** Parses the JSON lines of `POST /v1/containers/:id/exec/stream`. */
export async function* readExecOutput(
  response: IncomingMessage,
  signal: AbortSignal | undefined,
): AsyncGenerator<ExecOutput> {
  for await (const text of pieces(response, '\n', signal)) {
    const value: unknown = JSON.parse(text);
    const failed = errorLineSchema.safeParse(value);
    if (failed.success) throw errorFromProblem(failed.data.error, 'the program cannot be followed');
    const line = execLineSchema.parse(value);
    if ('pid' in line) yield { type: 'started', pid: line.pid };
    else if ('stream' in line)
      yield { type: 'output', stream: line.stream, data: Buffer.from(line.data, 'base64') };
    else yield { type: 'ended', ...line };
  }
}

/** Parses the server-sent events of `GET /v1/events`; comments and kinds of event that it does not know are skipped. */
export async function* readEvents(
  response: IncomingMessage,
  signal: AbortSignal | undefined,
): AsyncGenerator<LifecycleEvent> {
  for await (const block of pieces(response, '\n\n', signal)) {
    const data = block
      .split('\n')
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5).trimStart())
      .join('\n');
    if (data === '') continue;
    const event = lifecycleEventSchema.safeParse(JSON.parse(data));
    if (event.success) yield event.data;
  }
}
